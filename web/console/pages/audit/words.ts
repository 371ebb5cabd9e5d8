import { dictionary } from '@shared/i18n/i18n'
import { names } from './names'

export const zh = {
  ...names,
  'audit.text': '谁、在何时、从哪里、对哪条记录做了什么。默认显示最近 7 天；查看和导出也会被记录。',
  'audit.from': '从',
  'audit.to': '到',
  'audit.at': '时间',
  'audit.actor': '操作人',
  'audit.actor_hint': '账号或编号',
  'audit.action': '操作',
  'audit.action_hint': '例如 staff.',
  'audit.entity': '记录',
  'audit.entity_hint': '编号，例如 apt_…',
  'audit.detail': '内容',
  'audit.source': '来源',
  'audit.request': '请求编号',
  'audit.system': '系统',
  'audit.nobody': '未登录',
} as const

export const { t } = dictionary(zh, () => import('./en').then((module) => module.en))
