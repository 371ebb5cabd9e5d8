import type { Text2 } from './i18n/i18n'
interface J<T> {
  content: { 'application/json': T }
}
interface R<T> {
  responses: { 200: J<T> }
}
interface RP<T, P> {
  responses: { 200: J<T> }
  parameters: { path: P }
}
type B<T, Q, P = never> = { responses: { 200: J<T> }; requestBody: J<Q> } & ([P] extends [never]
  ? unknown
  : { parameters: { path: P } })
interface Est {
  low_min: number
  high_min: number
}
interface Called {
  ticket_id: string
  label: string
  name_masked?: string | null
  room_id?: string | null
  room_name?: Text2 | null
  called_at: string
  times: number
  state: 'called' | 'serving'
  voice: Text2
}
interface Line {
  label: string
  name_masked?: string | null
  class?: string | null
  ahead: number
  returning: boolean
  at_low?: string | null
  at_high?: string | null
}
type QState = 'open' | 'paused' | 'closed'
type QKind = 'clinic' | 'lab' | 'imaging' | 'pharmacy' | 'optician' | 'service'
interface QueuePublic {
  id: string
  code: string
  kind: QKind
  name: Text2
  doctor_name?: Text2 | null
  title?: Text2 | null
  department_id?: string | null
  department_name?: Text2 | null
  area_id?: string | null
  prefix: string
  state: QState
  paused_until?: string | null
  waiting: number
  calling: Called[]
  next: Line[]
  late: Line[]
  estimate?: Est | null
  rendered_at: string
}
interface Door {
  id: string
  code: string
  name: Text2
  area_id?: string | null
  queue_names: Text2[]
  doctor_name?: Text2 | null
  title?: Text2 | null
  now?: Called | null
  next: Line[]
  state: QState
  paused_until?: string | null
}
interface AreaPub {
  id: string
  code: string
  name: Text2
  campus_name?: Text2 | null
  way: Text2
  queues: number
  by_position: boolean
}
interface Wall {
  area: AreaPub
  rendered_at: string
  queues: QueuePublic[]
  rooms: Door[]
  late: { label: string; name_masked?: string | null; queue_id: string; ahead: number }[]
  pickups: { label: string; name_masked?: string | null; kind: string; at: string }[]
}
interface WItem {
  queue_id: string
  name: Text2
  doctor_id?: string | null
  doctor_name?: Text2 | null
  title?: Text2 | null
  department_id?: string | null
  department_name?: Text2 | null
  campus_name?: Text2 | null
  kind: QKind
  waiting: number
  estimate?: Est | null
  state: QState
  takes_numbers: boolean
}
interface Waiting {
  items: WItem[]
  rendered_at: string
}
interface Place {
  id: string
  label: string
  number: number
  person_id: string
  person_name_masked?: string | null
  queue: { id: string; kind: QKind; name: Text2; doctor_name?: Text2 | null; department_name?: Text2 | null }
  area: { id: string; name: Text2; way?: Text2 | null; campus_name?: Text2 | null } | null
  state: 'waiting' | 'called' | 'serving' | 'away' | 'done' | 'left' | 'void'
  ahead?: number | null
  room: { id: string; name: Text2 } | null
  called_at?: string | null
  times: number
  estimate: (Est & { low: string; high: string }) | null
  walk_until?: string | null
  why: Text2
  arrival: string
  class?: string | null
  misses: number
  paused_until?: string | null
  checked_in_at: string
  appointment_id?: string | null
  order_id?: string | null
  rendered_at: string
}
interface PickUp {
  id: string
  kind: 'glasses' | 'medicine' | 'report'
  state: 'expected' | 'ready' | 'collected' | 'returned'
  label: string
  code?: string | null
  place: Text2
  ready_at?: string | null
  collected_at?: string | null
  person_name_masked?: string | null
  name: Text2
  way?: Text2 | null
}
interface Here {
  area: AreaPub
  queues: { id: string; kind: QKind; name: Text2; numbers: boolean }[]
  mine: {
    appointments: {
      appointment_id: string
      start: string
      doctor_name?: Text2 | null
      department_name?: Text2 | null
      opens_at: string
      can: boolean
      person_name_masked: string
    }[]
    orders: { order_id: string; queue_name: Text2; title: Text2 }[]
    tickets: Place[]
  }
}
interface DeskTicket extends Line {
  id: string
  number: number
  state: string
  person_id?: string | null
  appointment_id?: string | null
  order_id?: string | null
  checked_in_at?: string | null
  called_at?: string | null
  began_at?: string | null
  ended_at?: string | null
  misses: number
  arrival: string
  origin: string
  class_reason?: string | null
  why: Text2
  room_id?: string | null
  times: number
  settled: boolean
  version: number
}
interface DeskQueue extends QueuePublic {
  lines: DeskTicket[]
  in_rooms: DeskTicket[]
  away: DeskTicket[]
  done_today: number
  passed_today: number
  policy: string
  pace: { median_min: number; n: number } | null
  version: number
}
interface Desk {
  room: { id: string; name: Text2 } | null
  queues: DeskQueue[]
  rooms: { id: string; name: Text2; code: string; queue_ids: string[]; taken_by_other: boolean }[]
  available: { id: string; name: Text2; kind: QKind; waiting: number }[]
  undo: { action_id: string; what: string; until: string } | null
}
interface DeskDone {
  action_id?: string | null
  undo_until: string
  ticket?: DeskTicket | null
  ended?: DeskTicket | null
  queues: DeskQueue[]
}
interface Slip {
  label: string
  queue_name: Text2
  area_name?: Text2 | null
  room_names: Text2[]
  ahead?: number | null
  estimate?: Est | null
  at: string
  way?: Text2 | null
  hospital_name: Text2
}
interface PickUpStaff extends PickUp {
  ref: string
  area_id?: string | null
  reminded: number
  days?: number | null
}
interface Setup {
  areas: {
    id: string
    version: number
    code: string
    name: Text2
    way: Text2
    campus_id?: string | null
    latitude?: number | null
    longitude?: number | null
    radius_m?: number | null
  }[]
  rooms: { id: string; version: number; code: string; name: Text2; area_id: string }[]
  queues: {
    id: string
    version: number
    code: string
    kind: QKind
    name: Text2
    prefix: string
    area_id?: string | null
    department_id?: string | null
    doctor_id?: string | null
    policy: string
    room_ids: string[]
    service_minutes: number
    active: boolean
  }[]
  policies: { code: string; name: Text2; text: Text2 }[]
}
interface Pos {
  latitude: number
  longitude: number
  accuracy_m: number
}
interface Id {
  id: string
}
export interface QueuePaths {
  '/api/v1/queue/areas/{id}': { get: RP<Wall, Id> }
  '/api/v1/queue/areas': { get: R<{ items: (AreaPub & { queues: number })[] }> }
  '/api/v1/queue/rooms/{id}': { get: RP<Door, Id> }
  '/api/v1/queue/queues/{id}': { get: RP<QueuePublic, Id> }
  '/api/v1/queue/waiting': { get: R<Waiting> & { parameters: { query?: { department_id?: string } } } }
  '/api/v1/queue/tickets': { get: R<{ items: Place[] }> }
  '/api/v1/queue/tickets/{id}': { get: RP<Place, Id> }
  '/api/v1/queue/tickets/{id}/leave': { post: B<Place, object, Id> }
  '/api/v1/queue/orders': {
    get: R<{
      items: {
        order_id: string
        kind: string
        title: Text2
        queue: { id: string; name: Text2 } | null
        area: { id: string; name: Text2 } | null
        state: string
        ticket_id?: string | null
        until?: string | null
      }[]
    }>
  }
  '/api/v1/queue/pickups': { get: R<{ items: PickUp[] }> }
  '/api/v1/queue/pickups/{id}': { get: RP<PickUp, Id> }
  '/api/v1/queue/places/{code}': { get: RP<Here, { code: string }> }
  '/api/v1/queue/check-ins': {
    post: B<{ tickets: Place[] }, { code?: string; appointment_id?: string; position?: Pos }>
  }
  '/api/v1/queue/numbers': {
    post: B<
      { tickets: Place[] },
      {
        code?: string
        position?: Pos
        area_id?: string
        order_id?: string
        person_id?: string
        queue_id?: string
      }
    >
  }
  '/api/v1/queue/stats': {
    get: R<{
      items: {
        key: string
        name?: Text2 | null
        n: number
        wait_p50_min?: number | null
        wait_p80_min?: number | null
        wait_p90_min?: number | null
        serve_p50_min?: number | null
        no_answer: number
        left: number
      }[]
    }>
  }
  '/api/v1/desk': { get: R<Desk>; put: B<Desk, object> }
  '/api/v1/desk/next': { post: B<DeskDone, object> }
  '/api/v1/desk/undo': { post: B<DeskDone, object> }
  '/api/v1/desk/queues/{id}': { get: RP<DeskQueue, Id> }
  '/api/v1/desk/queues/{id}/pause': { post: B<DeskQueue, object, Id> }
  '/api/v1/desk/queues/{id}/resume': { post: B<DeskQueue, object, Id> }
  '/api/v1/desk/queues/{id}/close': { post: B<DeskQueue, object, Id> }
  '/api/v1/desk/tickets/{id}/{step}': { post: B<DeskDone, object, { id: string; step: string }> }
  '/api/v1/desk/tickets/{id}/transfer': { post: B<DeskDone, object, Id> }
  '/api/v1/desk/tickets/{id}/class': { post: B<DeskDone, object, Id> }
  '/api/v1/desk/check-ins': { post: B<{ ticket: DeskTicket; slip: Slip }, { code: string }> }
  '/api/v1/desk/tickets': { post: B<{ ticket: DeskTicket; slip: Slip }, object> }
  '/api/v1/desk/pickups': { get: R<{ items: PickUpStaff[] }>; post: B<PickUpStaff, object> }
  '/api/v1/desk/pickups/ready': { post: B<PickUpStaff, object> }
  '/api/v1/desk/pickups/collect': { post: B<PickUpStaff, object> }
  '/api/v1/desk/setup': { get: R<Setup> }
  '/api/v1/desk/setup/areas': { post: B<object, object> }
  '/api/v1/desk/setup/rooms': { post: B<object, object> }
  '/api/v1/desk/setup/queues': { post: B<object, object> }
  '/api/v1/desk/setup/areas/{id}': { put: B<object, object, Id> }
  '/api/v1/desk/setup/rooms/{id}': { put: B<object, object, Id> }
  '/api/v1/desk/setup/queues/{id}': { put: B<object, object, Id> }
  '/api/v1/desk/setup/areas/{id}/code': { post: B<{ place_code: string }, object, Id> }
}
