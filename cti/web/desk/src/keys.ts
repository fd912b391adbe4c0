// What works from every page: the keys of the phone, and the warning before a talk is lost with the page.

import { onBeforeUnmount, onMounted } from 'vue'
import { useDesk } from '@/stores/desk'
import { useDraft } from '@/stores/draft'
import { usePhone } from '@/stores/phone'

export function useKeys(): void {
  const desk = useDesk()
  const phone = usePhone()
  const draft = useDraft()

  const acts: Record<string, () => unknown> = { F2: phone.answer, F4: phone.hangUp, F8: ready, F9: phone.mute }

  function pressed(event: KeyboardEvent): void {
    const act = acts[event.key]
    if (!act || event.repeat || event.altKey || event.ctrlKey || event.metaKey) return
    event.preventDefault()
    void act()
  }

  function ready(): void {
    if (desk.state === 'paused' || desk.state === 'wrap_up') void desk.ready().catch(() => {})
  }

  /** A talk in this page ends with the page; words not yet saved would be lost. */
  function leaving(event: BeforeUnloadEvent): void {
    if (phone.talking || draft.unsaved) event.preventDefault()
  }

  /** The page goes: the exchange is told at once, so that the caller is offered to somebody instead of ringing in vain. */
  const gone = (): void => phone.drop()

  onMounted(() => {
    window.addEventListener('pagehide', gone)
    window.addEventListener('keydown', pressed)
    window.addEventListener('beforeunload', leaving)
  })
  onBeforeUnmount(() => {
    window.removeEventListener('pagehide', gone)
    window.removeEventListener('keydown', pressed)
    window.removeEventListener('beforeunload', leaving)
  })
}
