const month = '(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)'
const time = String.raw`\d\d:\d\d:\d\d`

/** As it is written today, and as it was in the times of RFC 850 and `asctime()`: all three are to be read. */
const withZone = [
  new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ${month} \d{4} ${time} GMT$`),
  new RegExp(String.raw`^(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day, (\d\d)-${month}-\d\d ${time} GMT$`),
]
const withoutZone = new RegExp(String.raw`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${month} ([ \d]\d) ${time} \d{4}$`)

/**
 * The instant of an HTTP-date (RFC 9110, 5.6.7), in milliseconds; `undefined` for anything else. `Date.parse` alone reads
 * much more: other zones, one of two dates, days that no month has.
 */
export function instantOf(text: string | null): number | undefined {
  if (text === null) return undefined
  const old = withoutZone.exec(text)
  const day = (old ?? withZone.map((form) => form.exec(text)).find((match) => match !== null))?.[1]
  if (day === undefined) return undefined
  const instant = new Date(old === null ? text : `${text} GMT`)
  return instant.getUTCDate() === Number(day) ? instant.getTime() : undefined
}
