import { randomBytes } from 'node:crypto'

/** A word of 96 random bits that nobody else makes. Letters, digits, `-` and `_`. */
export const word = (): string => randomBytes(12).toString('base64url')
