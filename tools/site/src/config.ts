import { relative } from 'node:path'
import { defineConfig, type MarkdownOptions, type UserConfig } from 'vitepress'
import { anchorOf } from '../../docs/src/anchors.js'
import { leadTo, noPagesPattern, placeOf, repository, root } from './places.js'
import { writeReference } from './reference.js'
import { sidebar } from './sidebar.js'

/** Pages stand outside of this package, where no Vue is to be found while they are rendered. */
const vueOfTheSite: NonNullable<NonNullable<UserConfig['vite']>['plugins']>[number] = {
  name: 'vue of the site',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) =>
    ssr === true && /^vue(\/|$)/.test(id) ? { id, external: true } : undefined,
}

const markdown: MarkdownOptions = {
  anchor: { slugify: anchorOf },
  config: (md) => {
    md.core.ruler.push('links of the repository', ({ tokens, env }) => {
      const file = relative(root, (env as { realPath?: string; path: string }).realPath ?? env.path)
      for (const { children } of tokens)
        for (const token of children ?? [])
          if (token.type === 'link_open') token.attrSet('href', leadTo(token.attrGet('href')!, file))
    })
  },
}

/** Pages that answer a question come before the reference, and before decisions. */
const boostDocument = (id: string): number => (/^\/(reference|docs\/decisions)\//.test(id) ? 0.3 : 1)

/** The site: the repository's Markdown as it stands there, and the reference beside it. */
export default defineConfig({
  title: 'flow-cache',
  description:
    'A cache for TypeScript that asks the origin once, answers while the origin is down, and never stores what a change has overtaken.',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: root,
  srcExclude: [noPagesPattern],
  rewrites: placeOf,
  metaChunk: true,
  vite: { plugins: [vueOfTheSite] },
  markdown,
  themeConfig: {
    nav: [
      { text: 'Start', link: '/start' },
      { text: 'Documentation', link: '/docs/' },
      { text: 'Reference', link: '/reference/' },
      { text: 'GitHub', link: repository },
    ],
    sidebar: await sidebar(await writeReference()),
    outline: [2, 3],
    search: {
      provider: 'local',
      options: { detailedView: true, miniSearch: { searchOptions: { boostDocument } } },
    },
    externalLinkIcon: true,
  },
})
