import 'element-plus/es/components/tag/style/css.mjs'

export { ElTag } from 'element-plus/es/components/tag/index.mjs'
