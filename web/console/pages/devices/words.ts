import { dictionary } from '@shared/i18n/i18n'

export const zh = {
  'dev.title': '屏幕与自助机',
  'dev.text': '在设备的浏览器打开 {url}，把屏幕上的配对码填到这里。',
  'dev.code': '配对码',
  'dev.code_hint': '屏幕上的 8 位字符',
  'dev.name': '名称',
  'dev.name_hint': '例如：一楼东厅 左',
  'dev.view': '显示内容',
  'dev.view.area': '候诊区大屏',
  'dev.view.door': '诊室门口屏',
  'dev.view.overview': '各科候诊情况',
  'dev.view.experts': '今日专家',
  'dev.view.kiosk': '自助机（报到取号）',
  'dev.of': '候诊区或诊室',
  'dev.pair': '配对',
  'dev.paired': '已配对：{name}',
  'dev.seen': '最后在线',
  'dev.change': '修改',
  'dev.save': '保存',
  'dev.cancel': '取消',
  'dev.remove': '移除',
  'dev.remove_ask': '移除“{name}”？',
  'dev.remove_text': '设备会退出登录，要重新配对才能使用。',
  'dev.none': '还没有设备',
} as const

export const { t } = dictionary(zh, () => import('./en').then((module) => module.en))
