/** Tells built-in objects by their brand, which no prototype can feign, in whatever realm they were made. */
export interface Brands {
  isMap(value: object): boolean
  isSet(value: object): boolean
  isDate(value: object): boolean
  isArrayBuffer(value: object): boolean
  isSharedArrayBuffer(value: object): boolean
}

/** Whether reading something of an object works that only one kind of object has. */
const answers =
  (read: (this: object) => unknown) =>
  (value: object): boolean => {
    try {
      read.call(value)
      return true
    } catch {
      return false
    }
  }

const getterOf = (prototype: object, name: string): (() => unknown) =>
  Object.getOwnPropertyDescriptor(prototype, name)!.get!

/** The same on every platform: what is of another brand throws, which takes its time. */
export const neutralBrands: Brands = {
  isMap: answers(getterOf(Map.prototype, 'size')),
  isSet: answers(getterOf(Set.prototype, 'size')),
  isDate: answers(Date.prototype.getTime),
  isArrayBuffer: answers(getterOf(ArrayBuffer.prototype, 'byteLength')),
  // Browsers have none in a page that is not isolated.
  isSharedArrayBuffer:
    typeof SharedArrayBuffer === 'undefined'
      ? () => false
      : answers(getterOf(SharedArrayBuffer.prototype, 'byteLength')),
}

/** The part of Node's `process` used here. Bun and Deno have it too. */
interface Process {
  getBuiltinModule?(name: 'node:util'): { readonly types?: Brands } | undefined
}

/** What the platform brings, where it does: Node asks the engine. */
export const brands: Brands =
  (globalThis as { readonly process?: Process }).process?.getBuiltinModule?.('node:util')?.types ??
  neutralBrands
