import 'element-plus/es/components/select/style/css.mjs'
import 'element-plus/es/components/option/style/css.mjs'

export { ElSelect, ElOption } from 'element-plus/es/components/select/index.mjs'
