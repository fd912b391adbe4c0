// Who is signed in to the page, what he may do, and in which language he reads.

import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { configure, Refusal } from '@/api/client'
import { service } from '@/api/service'
import type { SessionView, StaffView } from '@/api/types'
import { i18n, LANGUAGES, type Language } from '@/i18n'
import { useClock } from '@/stores/clock'

const CHOSEN = 'hotline.language'

export const useSession = defineStore('session', () => {
  const staff = ref<StaffView | null>(null)
  const permissions = ref<string[]>([])
  const known = ref(false)
  const language = ref<Language>(stored() ?? 'zh')

  const signedIn = computed(() => staff.value !== null)
  const takesCalls = computed(() => may('take_calls'))

  function may(action: string): boolean {
    return permissions.value.includes(action)
  }

  function take(view: SessionView): void {
    staff.value = view.staff
    permissions.value = view.permissions
    known.value = true
    configure({ csrf: view.csrf_token })
    useClock().zone = view.zone
    const chosen = stored()
    if (chosen) tell(chosen)
    else if (isLanguage(view.staff.language)) apply(view.staff.language)
  }

  /** Forgets the person; the page shows the sign-in. */
  function drop(): void {
    staff.value = null
    permissions.value = []
    known.value = true
    configure({ csrf: '' })
  }

  /** Asks the service who this is; true when somebody is signed in. Raises when the service does not answer. */
  async function find(): Promise<boolean> {
    try {
      take(await service.session())
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 401) throw error
      drop()
    }
    return signedIn.value
  }

  async function signIn(number: string, password: string): Promise<void> {
    take(await service.signIn(number, password))
  }

  async function signOut(): Promise<void> {
    await service.signOut()
    drop()
  }

  function speak(wanted: Language): void {
    localStorage.setItem(CHOSEN, wanted)
    apply(wanted)
    tell(wanted)
  }

  /** What the service writes to this person (pops, alerts) is in the language of his page, from the next one on. */
  function tell(wanted: Language): void {
    if (!staff.value || staff.value.language === wanted) return
    const told = staff.value
    void service.speak(wanted).then(
      () => (told.language = wanted),
      () => undefined,
    )
  }

  function apply(wanted: Language): void {
    language.value = wanted
    i18n.global.locale.value = wanted
    document.documentElement.lang = wanted === 'zh' ? 'zh-CN' : 'en'
    configure({ language: wanted })
  }

  apply(language.value)
  return { staff, permissions, known, language, signedIn, takesCalls, may, find, signIn, signOut, drop, speak }
})

function stored(): Language | null {
  const chosen = localStorage.getItem(CHOSEN)
  return chosen && isLanguage(chosen) ? chosen : null
}

function isLanguage(text: string): text is Language {
  return (LANGUAGES as readonly string[]).includes(text)
}
