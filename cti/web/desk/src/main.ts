import { createPinia } from 'pinia'
import { createApp } from 'vue'
import App from './App.vue'
import { configure } from './api/client'
import { i18n } from './i18n'
import { makeRouter } from './router'
import { useClock } from './stores/clock'
import { useHealth } from './stores/health'
import { useSession } from './stores/session'
import './styles/theme.css'
import './styles/base.css'

const app = createApp(App)
app.use(createPinia())
app.use(i18n)

const session = useSession()
const router = makeRouter()
configure({
  onSignedOut: () => {
    session.drop()
    const next = router.currentRoute.value.fullPath
    void router.replace({ name: 'login', query: next === '/' ? {} : { next } })
  },
  renew: () => session.find().catch(() => false),
})
useClock().start()
useHealth().start()

app.use(router)
app.mount('#app')
