/** The desk of whoever is signed in: the room, the lines that it serves, who is in, and every act with its undo. */
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import { call, type Answer } from '../../lib/api'
import { say } from '../../lib/ask'
import { useDoing } from '../../lib/doing'
import { useTopics } from './feed'
import { t } from './words'

export type DeskState = Answer<'/api/v1/desk', 'get'>
export type Queue = DeskState['queues'][number]
export type Ticket = Queue['lines'][number]
export type Done = Answer<'/api/v1/desk/next', 'post'>
/** What can be done with one ticket. */
export type Act = 'call' | 'recall' | 'begin' | 'pass' | 'exam' | 'back' | 'end' | 'left'

export function useDesk() {
  const desk = shallowRef<DeskState>()
  const doing = useDoing()
  // Looking again by itself must not swallow the key that somebody presses meanwhile.
  const looking = useDoing()
  const undo = shallowRef<{ id: string; until: number; what: string }>()
  const now = ref(Date.now())
  const timer = setInterval(() => {
    now.value = Date.now()
    if (undo.value && undo.value.until <= now.value) undo.value = undefined
  }, 250)
  onBeforeUnmount(() => clearInterval(timer))

  const queues = computed(() => desk.value?.queues ?? [])
  const room = computed(() => desk.value?.room ?? undefined)
  /** Who is in my room, called or being seen. */
  const current = computed<Ticket | undefined>(() =>
    queues.value.flatMap((queue) => queue.in_rooms).find((ticket) => ticket.room_id === room.value?.id),
  )
  const undoLeft = computed(() =>
    undo.value ? Math.max(0, Math.ceil((undo.value.until - now.value) / 1000)) : 0,
  )

  function put(fresh: Queue): void {
    if (!desk.value) return
    desk.value = {
      ...desk.value,
      queues: desk.value.queues.map((queue) =>
        // The stream and an answer may overtake each other; the older one tells nothing.
        queue.id === fresh.id && fresh.version >= queue.version ? fresh : queue,
      ),
    }
  }

  async function load(): Promise<void> {
    const fresh = await looking.run(() => call('get', '/api/v1/desk'))
    if (fresh) desk.value = fresh
    else if (!desk.value) doing.problem.value = looking.problem.value
  }

  const { up } = useTopics(
    () => queues.value.map((queue) => `desk:${queue.id}`),
    (_, data) => put(data as Queue),
    () => void load(),
  )

  async function act(what: string, run: () => Promise<Done>): Promise<void> {
    const done = await doing.run(run)
    if (!done) return
    for (const queue of done.queues) put(queue)
    // By our own clock: how long the server leaves us, not until when by its clock.
    if (done.action_id) undo.value = { id: done.action_id, until: Date.now() + 5_000, what }
  }

  return {
    desk,
    doing,
    queues,
    room,
    current,
    up,
    undo,
    undoLeft,
    load,
    next: () => act(t('desk.next'), () => call('post', '/api/v1/desk/next', { body: {} })),
    ticket: (ticket: Ticket, what: Act) =>
      act(`${t(`desk.${what}`)} ${ticket.label}`, () =>
        call('post', '/api/v1/desk/tickets/{id}/{step}', { path: { id: ticket.id, step: what }, body: {} }),
      ),
    transfer: (ticket: Ticket, queue_id: string) =>
      act(`${t('desk.transfer')} ${ticket.label}`, () =>
        call('post', '/api/v1/desk/tickets/{id}/transfer', { path: { id: ticket.id }, body: { queue_id } }),
      ),
    classify: (ticket: Ticket, kind: string | null, reason: string) =>
      act(`${t('desk.class')} ${ticket.label}`, () =>
        call('post', '/api/v1/desk/tickets/{id}/class', {
          path: { id: ticket.id },
          body: { class: kind, reason },
        }),
      ),
    async sit(room_id: string | null, queue_ids: string[]): Promise<boolean> {
      const fresh = await doing.run(() => call('put', '/api/v1/desk', { body: { room_id, queue_ids } }))
      if (fresh) desk.value = fresh
      return fresh !== undefined
    },
    async queue(queue: Queue, what: 'pause' | 'resume' | 'close', body: object = {}): Promise<void> {
      const fresh = await doing.run(() =>
        call('post', `/api/v1/desk/queues/{id}/${what}`, { path: { id: queue.id }, body }),
      )
      if (fresh) put(fresh)
    },
    async takeBack(): Promise<void> {
      const id = undo.value?.id
      if (!id) return
      undo.value = undefined
      const done = await doing.run(() => call('post', '/api/v1/desk/undo', { body: { action_id: id } }))
      if (!done) return
      for (const queue of done.queues) put(queue)
      say(t('desk.undone'))
    },
  }
}

export type DeskOf = ReturnType<typeof useDesk>
