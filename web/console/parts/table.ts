/** What {@link DataTable} is told about a list. */
export interface Column<Row> {
  /** Also the name of the slot of its cells. */
  name: string
  title: string
  text: (row: Row) => string | number
  /** Fixed, px. */
  width?: number
  /** At least, px; the rest of the line is shared out. */
  least?: number
  /** Numbers and amounts. */
  right?: boolean
}

export interface PageOfRows<Row> {
  items: Row[]
  next?: string | null
}
