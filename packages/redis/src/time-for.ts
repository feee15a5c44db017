/** How much longer than for one a call may take for each further key, in milliseconds: as the cache counts. */
const perKey = 2

/** How long a call for so many keys may take: the last of them has to wait for the others. */
export const timeFor = (keys: number, timeout: number): number => timeout + (keys - 1) * perKey
