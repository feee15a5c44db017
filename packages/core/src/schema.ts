/** What a Standard Schema says of a value (https://standardschema.dev, version 1). */
export type SchemaResult<V> =
  | { readonly value: V; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] }

/** Any validator that speaks Standard Schema: Zod, Valibot, ArkType and others. */
export interface Schema<V = unknown> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<V> | Promise<SchemaResult<V>>
    readonly types?: { readonly input: unknown; readonly output: V } | undefined
  }
}
