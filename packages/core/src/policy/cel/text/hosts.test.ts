import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Fault } from "../issues.ts";
import { cidr } from "./cidr.ts";
import { hostName, parseAddress } from "./host-name.ts";
import { inDomain } from "./in-domain.ts";
import { mailDomain } from "./mail-domain.ts";
import { urlHost } from "./url-host.ts";

const refused = expect.any(Fault);

describe("[P4~] domain of a mail address (traps 9, 10)", () => {
  it.each([
    ["bob@acme.com", "acme.com"],
    ["bob@ACME.com", "acme.com"],
    ["bob@acme.com.", "acme.com"],
    ["first.last+tag@mail.acme.co.uk", "mail.acme.co.uk"],
    ["o'brien@acme.com", "acme.com"],
    ["bob@xn--mnchen-3ya.de", "xn--mnchen-3ya.de"],
    ["bob@acme.com.evil.example", "acme.com.evil.example"],
    ["acme.com@evil.example", "evil.example"],
  ])("%j is %j", (mail, domain) => expect(mailDomain(mail, 0)).toBe(domain));

  it.each([
    ["nothing", ""],
    ["no address", "acme.com"],
    ["no local part", "@acme.com"],
    ["no domain", "bob@"],
    ["two addresses by a comma", "bob@acme.com,eve@evil.example"],
    ["two addresses by a semicolon", "bob@acme.com;eve@evil.example"],
    ["two addresses by a blank", "bob@acme.com eve@evil.example"],
    ["two @", "bob@evil.example@acme.com"],
    ["two @ in quotes", '"bob@evil.example"@acme.com'],
    ["a display name", "Bob <bob@acme.com>"],
    ["a display name that is an address", '"bob@acme.com" <eve@evil.example>'],
    ["angle brackets", "<bob@acme.com>"],
    ["a comment", "bob@acme.com(evil.example)"],
    ["a comment before", "bob(@evil.example)@acme.com"],
    ["a route by percent", "eve%evil.example@acme.com"],
    ["a route by exclamation mark", "evil.example!eve@acme.com"],
    ["a route by @ and colon", "@acme.com:eve@evil.example"],
    ["an encoded word", "=?utf-8?q?eve=40evil.example?=@acme.com"],
    ["an address literal", "bob@[192.0.2.1]"],
    ["an address", "bob@192.0.2.1"],
    ["a host of one label", "bob@localhost"],
    ["a mailto link", "mailto:bob@acme.com"],
    ["a question mark", "bob@acme.com?cc=eve@evil.example"],
    ["a line end", "bob@acme.com\nbcc: eve@evil.example"],
    ["a carriage return", "bob@acme.com\r"],
    ["a blank before", " bob@acme.com"],
    ["a tab", "bob@acme.com\t"],
    ["a null byte", "bob@acme.com\0.evil.example"],
    ["a zero-width space", "bob@ac\u200bme.com"],
    ["a Cyrillic letter", "bob@\u0430cme.com"],
    ["a wide letter", "bob@\uff41cme.com"],
    ["the Kelvin sign", "bob@acme.\u212aom"],
    ["an ideographic full stop", "bob@acme\u3002com"],
    ["a wide @", "bob\uff20acme.com"],
    ["an umlaut", "bob@m\u00fcnchen.de"],
    ["another script before the @", "b\u043eb@acme.com"],
    ["two dots", "bob@acme..com"],
    ["two dots at the end", "bob@acme.com.."],
    ["a dot first", "bob@.acme.com"],
    ["dots in the local part", "bob..x@acme.com"],
    ["a hyphen at an end", "bob@acme-.com"],
    ["a port", "bob@acme.com:25"],
    ["a path", "bob@acme.com/x"],
    ["a backslash", "bob\\@evil.example@acme.com"],
    ["an unknown encoding", "bob@ab--cd.com"],
    ["a label too long", `bob@${"a".repeat(64)}.com`],
    ["a text too long", `${"a".repeat(300)}@acme.com`],
  ])("refuses %s: %j", (_name, mail) => expect(mailDomain(mail, 7)).toEqual(refused));
});

describe("[P4~] host of a URL (traps 9, 10, 24)", () => {
  it.each([
    ["https://acme.com", "acme.com"],
    ["https://API.Acme.com/v1?x=1#y", "api.acme.com"],
    ["http://acme.com:8080/", "acme.com"],
    ["wss://acme.com./socket", "acme.com"],
    ["www.acme.com/a", "www.acme.com"],
    ["https://acme.com.evil.example/", "acme.com.evil.example"],
    ["https://evil.example/acme.com", "evil.example"],
    ["https://evil.example/@acme.com", "evil.example"],
    ["https://evil.example#acme.com", "evil.example"],
    ["https://192.0.2.1/x", "192.0.2.1"],
    ["https://[2001:db8::1]:8443/", "2001:db8::1"],
    ["https://[::1]/", "::1"],
    ["https://xn--mnchen-3ya.de/", "xn--mnchen-3ya.de"],
  ])("%j is %j", (url, host) => expect(urlHost(url, 0)).toBe(host));

  it.each([
    ["nothing", ""],
    ["no scheme", "acme.com/x"],
    ["no scheme but a port", "acme.com:80"],
    ["another scheme", "ftp://acme.com/"],
    ["javascript", "javascript://acme.com/%0aalert(1)"],
    ["data", "data:text/html,acme.com"],
    ["a file", "file://acme.com/etc/passwd"],
    ["a scheme in capitals", "HTTPS://acme.com/"],
    ["one slash", "https:/acme.com"],
    ["no slash", "https:acme.com"],
    ["three slashes", "https:///acme.com"],
    ["no scheme but slashes", "//acme.com/"],
    ["backslashes", "https:\\\\acme.com\\"],
    ["a backslash before an @", "https://acme.com\\@evil.example/"],
    ["a backslash as a slash", "https://evil.example\\.acme.com/"],
    ["a user", "https://acme.com@evil.example/"],
    ["a user and password", "https://acme.com:x@evil.example/"],
    ["an empty user", "https://@acme.com/"],
    ["two users", "https://a@b@acme.com/"],
    ["an @ behind a question mark", "https://acme.com?@evil.example/"],
    ["an @ behind a hash", "https://acme.com#@evil.example/"],
    ["an @ behind a semicolon", "https://acme.com;@evil.example/"],
    ["a wide @", "https://acme.com\uff20evil.example/"],
    ["a blank", "https://acme.com /x"],
    ["a blank before", " https://acme.com"],
    ["a tab that browsers drop", "https://ac\tme.com/"],
    ["a line end that browsers drop", "https://acme.com\n.evil.example/"],
    ["a null byte", "https://acme.com\0/"],
    ["an encoded letter", "https://%61cme.com/"],
    ["an encoded slash", "https://acme.com%2f.evil.example/"],
    ["an encoded @", "https://acme.com%40evil.example/"],
    ["an umlaut", "https://m\u00fcnchen.de/"],
    ["a Cyrillic letter", "https://\u0430cme.com/"],
    ["mixed scripts", "https://acm\u0435.com/"],
    ["a wide dot", "https://acme\uff0ecom/"],
    ["an ideographic full stop", "https://acme\u3002com/"],
    ["a circled letter", "https://\u24d0cme.com/"],
    ["a zero-width joiner", "https://ac\u200dme.com/"],
    ["a soft hyphen", "https://ac\u00adme.com/"],
    ["a turned text", "https://\u202emoc.emca/"],
    ["a sharp s", "https://fa\u00df.de/"],
    ["127.1", "http://127.1/"],
    ["a decimal address", "http://2130706433/"],
    ["a hexadecimal address", "http://0x7f000001/"],
    ["an octal address", "http://0177.0.0.1/"],
    ["a mixed address", "http://127.0.0.0x1/"],
    ["an address with a dot", "http://127.0.0.1./"],
    ["zeros before", "http://127.0.0.001/"],
    ["a part too large", "http://127.0.0.256/"],
    ["five parts", "http://1.2.3.4.5/"],
    ["a wide digit", "http://127.0.0.\uff11/"],
    ["a long version 6", "http://[0:0:0:0:0:0:0:1]/"],
    ["version 6 in capitals", "http://[2001:DB8::1]/"],
    ["version 6 with zeros", "http://[2001:0db8::1]/"],
    ["mapped version 4", "http://[::ffff:127.0.0.1]/"],
    ["mapped version 4 in hexadecimal", "http://[::ffff:7f00:1]/"],
    ["NAT64", "http://[64:ff9b::7f00:1]/"],
    ["a zone", "http://[fe80::1%25eth0]/"],
    ["no brackets", "http://::1/"],
    ["localhost", "http://localhost/"],
    ["one label", "https://intranet/"],
    ["an empty port", "https://acme.com:/"],
    ["a port that is none", "https://acme.com:80x/"],
    ["a port too large", "https://acme.com:65536/"],
    ["a port with zeros", "https://acme.com:0443/"],
    ["two ports", "https://acme.com:80:90/"],
    ["two dots", "https://acme..com/"],
    ["two dots at the end", "https://acme.com../"],
    ["an underscore", "https://a_b.acme.com/"],
    ["a comma", "https://acme.com,evil.example/"],
    ["a quote", "https://acme.com'.evil.example/"],
    ["an empty encoding", "https://xn--.com/"],
    ["a text too long", `https://acme.com/${"a".repeat(9_000)}`],
  ])("refuses %s: %j", (_name, url) => expect(urlHost(url, 7)).toEqual(refused));

  it("never says another host than the platform's own parser", () => {
    const piece = fc.constantFrom(
      ..."ab.@:/\\?#[]%1x-",
      "acme.com",
      "evil.example",
      "https://",
      "www.",
      "127.0.0.1",
      "::1",
      "\u3002",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const url = `https://${pieces.join("")}`;
        const host = urlHost(url, 0);
        if (typeof host === "string") expect(new URL(url).hostname.replace(/^\[|\]$|\.$/g, "")).toBe(host);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("[P4~] a host within a domain (trap 9)", () => {
  it.each([
    ["acme.com", "acme.com", true],
    ["a.b.acme.com", "acme.com", true],
    ["A.ACME.com.", "Acme.com", true],
    ["acme.com.evil.example", "acme.com", false],
    ["notacme.com", "acme.com", false],
    ["acme.com", "www.acme.com", false],
    ["192.0.2.1", "acme.com", false],
    ["2001:db8::1", "acme.com", false],
  ])("%j in %j is %j", (host, domain, inside) => expect(inDomain(host, domain, 0)).toBe(inside));

  it.each([
    ["a URL", "https://acme.com/", "acme.com"],
    ["a mail address", "bob@acme.com", "acme.com"],
    ["nothing", "", "acme.com"],
    ["a blank", "acme.com ", "acme.com"],
    ["a port", "acme.com:80", "acme.com"],
    ["a Cyrillic letter", "\u0430cme.com", "acme.com"],
    ["an odd address", "0x7f.1", "acme.com"],
    ["a dot before", ".acme.com", "acme.com"],
    ["a domain with a dot before", "acme.com", ".acme.com"],
    ["a domain of one label", "acme.com", "com"],
    ["an empty domain", "acme.com", ""],
    ["a pattern", "acme.com", "*.com"],
  ])("refuses %s", (_name, host, domain) => expect(inDomain(host, domain, 7)).toEqual(refused));
});

describe("[P4~] an address within a range (trap 24)", () => {
  it.each([
    ["10.1.2.3", "10.0.0.0/8", true],
    ["11.0.0.0", "10.0.0.0/8", false],
    ["192.0.2.1", "192.0.2.1/32", true],
    ["1.2.3.4", "0.0.0.0/0", true],
    ["2001:db8::5", "2001:db8::/32", true],
    ["2001:db9::5", "2001:db8::/32", false],
    ["::1", "::1/128", true],
    ["10.1.2.3", "2001:db8::/32", false],
    ["2001:db8::5", "0.0.0.0/0", false],
  ])("%j in %j is %j", (ip, range, inside) => expect(cidr(ip, range, 0)).toBe(inside));

  it.each([
    ["a name", "localhost", "127.0.0.0/8"],
    ["127.1", "127.1", "127.0.0.0/8"],
    ["octal", "0177.0.0.1", "127.0.0.0/8"],
    ["decimal", "2130706433", "127.0.0.0/8"],
    ["hexadecimal", "0x7f.0.0.1", "127.0.0.0/8"],
    ["zeros before", "127.000.000.001", "127.0.0.0/8"],
    ["a blank", "127.0.0.1 ", "127.0.0.0/8"],
    ["a port", "127.0.0.1:80", "127.0.0.0/8"],
    ["mapped", "::ffff:127.0.0.1", "127.0.0.0/8"],
    ["mapped in hexadecimal", "::ffff:7f00:1", "127.0.0.0/8"],
    ["mapped, against version 6", "::ffff:7f00:1", "::/0"],
    ["compatible", "::7f00:1", "127.0.0.0/8"],
    ["translated", "::ffff:0:7f00:1", "127.0.0.0/8"],
    ["NAT64", "64:ff9b::a9fe:a9fe", "169.254.0.0/16"],
    ["local NAT64", "64:ff9b:1::a9fe:a9fe", "169.254.0.0/16"],
    ["6to4", "2002:7f00:1::", "127.0.0.0/8"],
    ["Teredo", "2001::1", "127.0.0.0/8"],
    ["a zone", "fe80::1%eth0", "fe80::/10"],
    ["another spelling", "2001:DB8::5", "2001:db8::/32"],
    ["free bits that are set", "10.1.2.3", "10.1.2.3/8"],
    ["a prefix too long", "10.1.2.3", "10.0.0.0/33"],
    ["a prefix with a zero", "10.1.2.3", "10.0.0.0/08"],
    ["no prefix", "10.1.2.3", "10.0.0.0"],
    ["two prefixes", "10.1.2.3", "10.0.0.0/8/8"],
    ["an empty range", "10.1.2.3", ""],
  ])("refuses %s", (_name, ip, range) => expect(cidr(ip, range, 7)).toEqual(refused));
});

describe("names and addresses", () => {
  it("a name has one form", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."aZ0-.x_\u00e9") }), (text) => {
        const name = hostName(text);
        if (name !== null) expect(hostName(name)).toBe(name);
      }),
    );
  });
  it("an address of version 6 is taken in the platform's form only", () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const { hostname } = new URL(`http://[${text}]/`);
        expect(parseAddress(text) !== null).toBe(hostname === `[${text}]`);
      }),
      { numRuns: 500 },
    );
  });
});
