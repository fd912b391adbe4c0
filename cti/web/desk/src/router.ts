// Addresses of the page; everything but set-up and sign-in needs somebody signed in.

import { createRouter, createWebHistory, type Router } from 'vue-router'
import { useSession } from './stores/session'

declare module 'vue-router' {
  interface RouteMeta {
    open?: boolean
    /** What one must be allowed to do to see it. */
    needs?: string
  }
}

/** After an update the files of the old page are gone: the page is loaded anew, but not over and over. */
const RELOADED = 'hotline.reloaded'
const AGAIN = 30_000

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('./views/LoginView.vue'), meta: { open: true } },
      { path: '/setup', name: 'setup', component: () => import('./views/SetupView.vue'), meta: { open: true } },
      { path: '/', name: 'desk', component: () => import('./views/DeskView.vue') },
      { path: '/orders', name: 'orders', component: () => import('./views/OrdersView.vue') },
      { path: '/orders/:id', name: 'order', component: () => import('./views/OrderView.vue'), props: true },
      { path: '/orders/:id/print/:number', name: 'print', component: () => import('./views/PrintView.vue'), props: true },
      { path: '/items/:id?', name: 'items', component: () => import('./views/ItemsView.vue'), props: true, meta: { needs: 'view_items' } },
      { path: '/papers/:id?', name: 'papers', component: () => import('./views/PapersView.vue'), props: true, meta: { needs: 'view_papers' } },
      { path: '/callbacks/:id?', name: 'callbacks', component: () => import('./views/CallbacksView.vue'), props: true, meta: { needs: 'view_callbacks' } },
      { path: '/surveys/:id?', name: 'surveys', component: () => import('./views/SurveysView.vue'), props: true, meta: { needs: 'view_follow_ups' } },
      { path: '/floor', name: 'floor', component: () => import('./views/FloorView.vue'), meta: { needs: 'view_floor' } },
      { path: '/board', name: 'board', component: () => import('./views/BoardView.vue'), meta: { needs: 'view_floor' } },
      { path: '/nuisance', name: 'nuisance', component: () => import('./views/NuisanceView.vue'), meta: { needs: 'restrict_callers' } },
      { path: '/announcements', name: 'announcements', component: () => import('./views/AnnouncementsView.vue'), meta: { needs: 'announce' } },
      { path: '/work', name: 'work', component: () => import('./views/WorkView.vue'), meta: { needs: 'work_work_order' } },
      { path: '/open-points', name: 'points', component: () => import('./views/OpenPointsView.vue'), meta: { needs: 'follow_through' } },
      { path: '/audit', name: 'audit', component: () => import('./views/AuditView.vue') },
      { path: '/staff', name: 'staff', component: () => import('./views/StaffView.vue'), meta: { needs: 'administer_staff' } },
      { path: '/processes', name: 'processes', component: () => import('./views/ProcessesView.vue'), meta: { needs: 'administer_system' } },
      { path: '/rules/:tab?', name: 'rules', component: () => import('./views/RulesView.vue'), props: true, meta: { needs: 'administer_system' } },
      { path: '/queues', name: 'queues', component: () => import('./views/QueuesView.vue') },
      { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./views/NowhereView.vue') },
    ],
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    if (!session.known) await session.find().catch(() => false)
    if (to.meta.open) return to.name === 'login' && session.signedIn ? { name: 'desk' } : true
    if (session.signedIn) return !to.meta.needs || session.may(to.meta.needs) || { name: 'desk' }
    return { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  })
  router.onError((error: unknown, to) => {
    const last = Number(sessionStorage.getItem(RELOADED) ?? 0)
    const gone = error instanceof TypeError && /import/i.test(error.message)
    if (!gone || Date.now() - last < AGAIN) return
    sessionStorage.setItem(RELOADED, String(Date.now()))
    location.assign(to.fullPath)
  })
  return router
}
