// The centre's vocabularies: trees to choose from, and the name of every code.

import { defineStore } from 'pinia'
import { ref } from 'vue'
import { forms, type ClosedWords } from '@/api/forms'
import { service } from '@/api/service'
import type { Taxonomies, TaxonomyNode } from '@/api/types'
import { useSession } from './session'

export type Choice = { value: string; label: string; children?: Choice[] }

export const useWords = defineStore('words', () => {
  const trees = ref<Taxonomies>({})
  /** What can be chosen no more keeps its name on the orders that have it (IN-03). */
  const closed = ref<ClosedWords['kinds']>({})
  const session = useSession()

  async function load(): Promise<void> {
    const [open, gone] = await Promise.all([service.taxonomies(), forms.closedWords()])
    trees.value = open
    closed.value = gone.kinds
  }

  function choices(kind: string): Choice[] {
    return (trees.value[kind] ?? []).map(choice)
  }

  function choice(node: TaxonomyNode): Choice {
    const own = { value: node.code, label: node.label[session.language] }
    return node.children.length ? { ...own, children: node.children.map(choice) } : own
  }

  /** Name of a code with the names above it, e.g. 数据通信 / 宽带; the code itself when nobody knows it. */
  function label(kind: string, code: string | null | undefined, whole = true): string {
    if (!code) return ''
    const path = find(trees.value[kind] ?? [], code)
    if (!path) return closed.value[kind]?.[code]?.[session.language] ?? code
    const names = path.map((node) => node.label[session.language])
    return whole ? names.join(' / ') : (names.at(-1) ?? code)
  }

  return { trees, load, choices, label }
})

function find(nodes: TaxonomyNode[], code: string): TaxonomyNode[] | null {
  for (const node of nodes) {
    if (node.code === code) return [node]
    const below = find(node.children, code)
    if (below) return [node, ...below]
  }
  return null
}
