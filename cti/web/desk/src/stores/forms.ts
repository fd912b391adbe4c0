// The form of the draft being written, as the service serves it: elements, prompts, what must be answered, phrases (IN-24, IN-16).

import { defineStore } from 'pinia'
import { shallowRef } from 'vue'
import { forms, type FormElement, type OrderForm, type PhraseView, type Selectors } from '@/api/forms'

export const useForms = defineStore('forms', () => {
  const current = shallowRef<OrderForm | null>(null)
  const phrases = shallowRef<PhraseView[]>([])
  let asked = ''

  /** The form for what the draft says now; the one before stays until it is there. */
  async function fit(wanted: Selectors): Promise<void> {
    const key = JSON.stringify(wanted)
    if (key === asked) return
    asked = key
    try {
      const [form, offered] = await Promise.all([forms.form(wanted), forms.phrases(wanted.complaint_type)])
      if (asked !== key) return
      current.value = form
      phrases.value = offered.items
    } catch {
      if (asked === key) asked = '' // asked again at the next change; the kind's own elements stand until then
    }
  }

  /** What a kind's form asks for; null while the service has not said. */
  const elements = (kind: string | null): FormElement[] | null => (current.value && current.value.kind === kind ? current.value.elements : null)
  const element = (field: string): FormElement | undefined => current.value?.elements.find((each) => each.field === field)
  const phrasesOf = (field: string): PhraseView[] => phrases.value.filter((each) => each.field === field)

  return { current, phrases, fit, elements, element, phrasesOf }
})
