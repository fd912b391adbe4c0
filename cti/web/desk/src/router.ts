// Addresses of the page; everything but set-up and sign-in needs somebody signed in.

import { createRouter, createWebHistory, type Router } from 'vue-router'
import { useSession } from './stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    open?: boolean
  }
}

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('./views/LoginView.vue'), meta: { open: true } },
      { path: '/setup', name: 'setup', component: () => import('./views/SetupView.vue'), meta: { open: true } },
      { path: '/', name: 'desk', component: () => import('./views/DeskView.vue') },
      { path: '/orders', name: 'orders', component: () => import('./views/OrdersView.vue') },
      { path: '/orders/:id', name: 'order', component: () => import('./views/OrderView.vue'), props: true },
      { path: '/queues', name: 'queues', component: () => import('./views/QueuesView.vue') },
      { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./views/NowhereView.vue') },
    ],
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    if (!session.known) await session.find().catch(() => false)
    if (to.meta.open) return to.name === 'login' && session.signedIn ? { name: 'desk' } : true
    if (session.signedIn) return true
    return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  return router
}
