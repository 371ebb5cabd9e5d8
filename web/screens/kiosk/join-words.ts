/** The words of linking a card to WeChat at the kiosk. */
import { dictionary, type Mirror } from '@shared/i18n/i18n'

const zh = {
  'j.tile': '绑定微信',
  'j.tile_note': '插入就诊卡或医保卡，用微信扫一扫',
  'j.title': '请插入或刷就诊卡、医保卡',
  'j.consent':
    '继续即表示同意医院使用您的姓名、证件号和手机号，为您预约、通知和建立就诊档案。可以随时在手机上撤回。',
  'j.type': '读不了卡？请输入卡号',
  'j.scan': '{name}，请用微信扫码',
  'j.child': '这是儿童，请家长或监护人扫码',
  'j.left': '码还有 {n} 秒有效',
  'j.claimed': '已扫码。请在手机上填写就诊人姓名',
  'j.bound': '{name}已绑定',
  'j.bound_note': '以后可以在手机上预约挂号。请取回您的卡。',
  'j.over': '码已过期',
  'j.again': '重新取码',
  'j.code': '绑定码',
  'j.err.card_invalid': '这不是就诊卡或医保卡的号码。',
  'j.err.card_unknown': '没有找到这张卡的档案，请到窗口建档。',
} as const

const en: Mirror<typeof zh> = {
  'j.tile': 'Link to WeChat',
  'j.tile_note': 'Insert your visit or insurance card and scan with WeChat',
  'j.title': 'Please insert or swipe your visit or insurance card',
  'j.consent':
    'By going on you agree that the hospital uses your name, document number and phone to book visits, notify you and keep your record. You can take this back on your phone at any time.',
  'j.type': 'Card not read? Type its number',
  'j.scan': '{name}, please scan with WeChat',
  'j.child': 'This is a child: a parent or guardian scans',
  'j.left': 'The code is good for {n} s',
  'j.claimed': 'Scanned. Please give the patient’s name on the phone',
  'j.bound': '{name} is linked',
  'j.bound_note': 'You can book on your phone now. Please take your card.',
  'j.over': 'The code is out of date',
  'j.again': 'Get a new code',
  'j.code': 'Code for linking',
  'j.err.card_invalid': 'This is not the number of a visit or insurance card.',
  'j.err.card_unknown': 'No record was found for this card. Please register at the desk.',
}

export const { t: tj, look: lookJoin } = dictionary(zh, () => Promise.resolve(en))
