import { Fault } from "../issues.ts";
import { embedsVersion4, parseAddress } from "./host-name.ts";

/** Whether an address lies in a range such as `10.0.0.0/8`. One of the other version lies outside. */
export function cidr(ip: string, range: string, offset: number): boolean | Fault {
  const [base = "", length = "", more] = range.split("/", 3);
  const network = parseAddress(base);
  const bits = network?.version === 4 ? 32 : 128;
  const prefix = /^(?:0|[1-9]\d{0,2})$/.test(length) && more === undefined ? Number(length) : 129;
  if (network === null || prefix > bits || network.value & ((1n << BigInt(bits - prefix)) - 1n)) {
    return new Fault(
      "`cidr` needs a range whose free bits are zero, such as `10.0.0.0/8`, as its second argument",
      offset,
    );
  }
  const address = parseAddress(ip);
  if (address === null)
    return new Fault("`cidr` needs an address such as `192.0.2.1`, not a name or another spelling", offset);
  // An address that stands for another one lies in two networks.
  if (embedsVersion4(address)) {
    return new Fault("`cidr` of an address that stands for one of version 4: write that one", offset);
  }
  if (address.version !== network.version) return false;
  return address.value >> BigInt(bits - prefix) === network.value >> BigInt(bits - prefix);
}
