import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  Application,
  Converter,
  type DeclarationReflection,
  type ProjectReflection,
  ReflectionKind,
} from 'typedoc'
import { load } from 'typedoc-plugin-markdown'
import { referenceFolder, repository, root } from './places.js'

/** A public entry of a package. */
export interface Entry {
  /** What one imports: `@flow-cache/core/testing`. */
  readonly name: string
  /** Its source, from the root of the repository. */
  readonly source: string
}

/** Every public entry of every package, by the `exports` of its `package.json`. */
export async function publicEntries(): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  for (const folder of (await readdir(join(root, 'packages'))).toSorted()) {
    const manifest = JSON.parse(
      await readFile(join(root, 'packages', folder, 'package.json'), 'utf8'),
    ) as Manifest
    for (const [path, { [condition]: source }] of Object.entries(manifest.exports))
      if (source !== undefined)
        entries.push({ name: join(manifest.name, path), source: join('packages', folder, source) })
  }
  return entries
}

const condition = '@flow-cache/source'

interface Manifest {
  readonly name: string
  readonly exports: Readonly<Record<string, { readonly [condition]?: string }>>
}

/**
 * Writes a page of Markdown for each public entry, from the comments in the sources, and one that lists them; answers with
 * that one. Rejects if a comment links to what is not public.
 */
export async function writeReference(): Promise<string> {
  const entries = await publicEntries()
  const app = await Application.bootstrapWithPlugins({
    plugin: [load],
    tsconfig: join(root, 'tools/site/tsconfig.reference.json'),
    entryPoints: entries.map(({ source }) => join(root, source)),
    basePath: root,
    readme: 'none',
    // Each package is compiled for the platforms it promises by `pnpm typecheck`; here all are read at once.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableGit: true,
    gitRevision: 'main',
    sourceLinkTemplate: `${repository}/blob/main/packages/{path}#L{line}`,
    logLevel: 'Warn',
    outputs: [{ name: 'markdown', path: join(root, referenceFolder), options: markdown }],
  })
  // After it is known what is inherited, and before members are put in groups.
  app.converter.on(
    Converter.EVENT_RESOLVE_END,
    ({ project }) => {
      nameModules(project, entries)
      leaveOutInherited(project)
    },
    -50,
  )
  const project = await app.convert()
  if (project === undefined) throw new Error('The sources do not compile: there is no reference to write.')
  app.validate(project)
  await app.generateOutputs(project)
  if (app.logger.hasErrors() || app.logger.hasWarnings())
    throw new Error('Some comments link to what is not public: see above.')
  return `${referenceFolder}/index.md`
}

/** How the pages look. */
const markdown: object = {
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  useCustomAnchors: true,
  expandObjects: true,
  parametersFormat: 'table',
  propertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  tableColumnSettings: {
    hideDefaults: true,
    hideInherited: true,
    hideModifiers: true,
    hideOverrides: true,
    hideSources: true,
  },
}

/** Calls each module what one imports. */
function nameModules(project: ProjectReflection, entries: readonly Entry[]): void {
  for (const module of project.children ?? []) {
    const file = module.sources?.[0]?.fullFileName
    const entry = entries.find(({ source }) => join(root, source) === file)
    if (entry !== undefined) module.name = entry.name
  }
}

/** A class that is a cache says so with a link; it does not list everything a cache can do once more. */
function leaveOutInherited(project: ProjectReflection): void {
  for (const { children = [] } of project.getReflectionsByKind(
    ReflectionKind.Class,
  ) as DeclarationReflection[])
    for (const member of children.filter(isInherited)) project.removeReflection(member)
}

const isInherited = ({ inheritedFrom }: DeclarationReflection): boolean => inheritedFrom !== undefined
