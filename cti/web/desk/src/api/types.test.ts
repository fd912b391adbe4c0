import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const SCHEMAS = ['agent', 'calls', 'common', 'customers', 'figures', 'orders', 'pop', 'reference', 'session', 'intake', 'callbacks', 'work', 'announcements', 'workflow', 'steps', 'papers', 'clocks', 'admin', 'audit', 'department', 'handover', 'board', 'processes', 'vocabulary', 'order_forms']
/** Names that would hide something of the language. */
const RENAMED: Record<string, string> = { Promise: 'Promise_' }
/** Not used by the page. */
const UNUSED = ['Standard', 'StandardList', 'CallEvent', 'BadLineView', 'CustomerImport']
/** Sent, not shown: their base is an input of the module's own. */
const SENT = ['_Template', '_Phrase']

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), 'utf8')

/** Fields of every answer's model, by class name. */
function models(text: string): [string, string[]][] {
  return text
    .split(/^class /m)
    .slice(1)
    .map((part): [string, string, string[]] => {
      const [head = '', ...lines] = part.split('\n')
      const fields = lines.map((line) => /^ {4}(\w+): /.exec(line)?.[1]).filter((name): name is string => name !== undefined && name !== 'model_config')
      return [head.replace(/\W.*$/, ''), /\((\w+)\)/.exec(head)?.[1] ?? '', fields]
    })
    .filter(([name, base]) => !['Input', 'BaseModel', 'OrderFields', ...SENT].includes(base) && !UNUSED.includes(name))
    .map(([name, , fields]) => [name, fields.map((field) => field.replace(/_$/, ''))])
}

function shape(types: string, name: string): string[] | null {
  const found = new RegExp(`^export interface ${RENAMED[name] ?? name} (?:extends \\w+ )?\\{\\n([\\s\\S]*?)^\\}`, 'm').exec(types)
  return found ? [...(found[1] ?? '').matchAll(/^ {2}(\w+)\??:/gm)].map((field) => field[1] ?? '') : null
}

describe('types.ts', () => {
  const types = read('./types.ts') + read('./order-types.ts') + read('./work-types.ts') + read('./floor-types.ts') + read('./workflow-types.ts') + read('./clocks-types.ts') + read('./paper-types.ts') + read('./admin-types.ts') + read('./department-types.ts') + read('./board-types.ts') + read('./process-types.ts') + read('./rules-types.ts') + read('./forms.ts')
  const all = SCHEMAS.flatMap((name) => models(read(`../../../schemas/${name}.py`)))

  it('has every model of the service with exactly its fields', () => {
    expect(all.length).toBeGreaterThan(30)
    for (const [name, fields] of all) expect([name, shape(types, name)?.sort()]).toEqual([name, fields.sort()])
  })
})
