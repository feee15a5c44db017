import { type Clock, systemClock } from '@flow-cache/core'

/** Something that can be done from the page, on a button of its own. */
export interface Action {
  /** What stands on the button. */
  readonly label: string
  /** Asks for a text first. */
  readonly input?:
    | {
        readonly label: string
        /** What may be meant, asked for each time the page is opened. */
        readonly suggestions?: (() => Iterable<string> | Promise<Iterable<string>>) | undefined
      }
    | undefined
  /** Does it. What it answers is shown, and so is the message of an error. */
  run(input: string): unknown
}

/** Options of `dashboard`. */
export interface DashboardOptions {
  /** The page's heading. Default: `'Cache'`. */
  readonly title?: string | undefined
  /** What may be done, by names for the URL. Default: nothing; the page only shows. */
  readonly actions?: Readonly<Record<string, Action>> | undefined
  /**
   * The host names it answers under, so that no page of somebody else's can read it through a name of its own. Default:
   * those of this machine, `['localhost', '127.0.0.1', '[::1]']`. Whoever may reach a name you add sees keys: put a login
   * in front.
   */
  readonly hosts?: readonly string[] | undefined
  /** How often open pages are told, in milliseconds, from 100. Default: 1,000. */
  readonly interval?: number | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** Options with their defaults. */
export type Settings = { readonly [Name in keyof DashboardOptions]-?: NonNullable<DashboardOptions[Name]> }

const defaults: Settings = Object.freeze({
  title: 'Cache',
  actions: {},
  hosts: ['localhost', '127.0.0.1', '[::1]'],
  interval: 1_000,
  clock: systemClock,
})

/** The options with their defaults, or a `TypeError` or a `RangeError` that names the one that is wrong. */
export function settingsOf(options: DashboardOptions): Settings {
  for (const name of Object.keys(options)) {
    if (!(name in defaults)) {
      throw new TypeError(
        `unknown option '${name}' of dashboard; known are ${Object.keys(defaults).join(', ')}`,
      )
    }
  }
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const settings: Settings = { ...defaults, ...given }
  if (typeof settings.title !== 'string') throw new TypeError('title must be a string')
  if (!Array.isArray(settings.hosts)) throw new TypeError('hosts must be an array of host names')
  if (!(settings.interval >= 100 && settings.interval <= 3_600_000)) {
    throw new RangeError(`interval must be from 100 to 3600000 milliseconds, got ${settings.interval}`)
  }
  const { now, setTimer, clearTimer } = settings.clock ?? {}
  if (![now, setTimer, clearTimer].every((method) => typeof method === 'function'))
    throw new TypeError('clock must be a Clock, with now, setTimer and clearTimer')
  for (const [name, action] of Object.entries(settings.actions)) {
    if (!/^[\w-]+$/.test(name)) throw new TypeError(`actions: '${name}' must be letters, digits, _ and -`)
    if (typeof action?.label !== 'string' || typeof action.run !== 'function') {
      throw new TypeError(`actions.${name} must have a label and run()`)
    }
  }
  return settings
}
