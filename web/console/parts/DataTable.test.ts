import { setLang } from '@shared/i18n/i18n'
import { flushPromises, mount } from '@vue/test-utils'
import { beforeEach, expect, test, vi } from 'vitest'
import { ApiError } from '../lib/api'
import * as files from '../lib/csv'
import DataTable from './DataTable.vue'
import type { Column, PageOfRows } from './table'

interface Row {
  id: string
  name: string
  count: number
}
const columns: Column<Row>[] = [
  { name: 'name', title: '姓名', text: (row) => row.name },
  { name: 'count', title: '数量', text: (row) => row.count, right: true },
]
const row = (n: number): Row => ({ id: String(n), name: `人${n}`, count: n })

beforeEach(() => setLang('zh'))

function table(load: (after?: string) => Promise<PageOfRows<Row>>) {
  return mount(DataTable<Row>, {
    props: { columns, load, of: { q: '' }, rowKey: (one: Row) => one.id, file: 'people', label: '人员' },
    attachTo: document.body,
  })
}

test('more is fetched behind what is there; the export has all of it', async () => {
  const load = vi.fn((after?: string) =>
    Promise.resolve(after ? { items: [row(3)], next: null } : { items: [row(1), row(2)], next: 'two' }),
  )
  const kept = vi.spyOn(files, 'download').mockReturnValue(undefined)
  const wrapper = table(load)
  await flushPromises()
  const button = (text: string) => wrapper.findAll('button').find((one) => one.text().includes(text))
  expect(wrapper.text()).toContain('人2')
  expect(wrapper.text()).not.toContain('人3')
  await button('导出 CSV')?.trigger('click')
  await flushPromises()
  expect(kept).toHaveBeenCalledWith('people.csv', '\uFEFF姓名,数量\r\n人1,1\r\n人2,2\r\n人3,3\r\n')
  await button('显示更多')?.trigger('click')
  await flushPromises()
  expect(wrapper.text()).toContain('人3')
  expect(button('显示更多')).toBeUndefined()
  wrapper.unmount()
})

test('another filter begins anew, and an answer that comes too late is not shown', async () => {
  let late: (page: PageOfRows<Row>) => void = () => undefined
  const load = vi
    .fn<(after?: string) => Promise<PageOfRows<Row>>>()
    .mockImplementationOnce(() => new Promise((resolve) => (late = resolve)))
    .mockResolvedValue({ items: [row(2)], next: null })
  const wrapper = table(load)
  await wrapper.setProps({ of: { q: 'x' } })
  await flushPromises()
  late({ items: [row(1)], next: null })
  await flushPromises()
  expect(wrapper.text()).toContain('人2')
  expect(wrapper.text()).not.toContain('人1')
  wrapper.unmount()
})

test('a failure is said, and can be tried again', async () => {
  const load = vi
    .fn<(after?: string) => Promise<PageOfRows<Row>>>()
    .mockRejectedValueOnce(
      new ApiError({ status: 503, code: 'try_again', detail: '系统正忙', request_id: 'r1' }),
    )
    .mockResolvedValue({ items: [], next: null })
  const wrapper = table(load)
  await flushPromises()
  expect(wrapper.get('[role=alert]').text()).toContain('系统正忙')
  expect(wrapper.get('[role=alert]').text()).toContain('r1')
  await wrapper.get('[role=alert] button').trigger('click')
  await flushPromises()
  expect(wrapper.find('[role=alert]').exists()).toBe(false)
  expect(wrapper.text()).toContain('没有符合条件的记录')
  wrapper.unmount()
})
