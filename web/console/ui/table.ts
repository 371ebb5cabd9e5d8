import 'element-plus/es/components/table/style/css.mjs'
import 'element-plus/es/components/table-column/style/css.mjs'

export { ElTable, ElTableColumn } from 'element-plus/es/components/table/index.mjs'
