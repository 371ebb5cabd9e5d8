/** The words that every screen and the list of departments need: part of the first load. In Chinese, which the types are made from. */
export const core = {
  'app.loading': '正在加载',
  'app.back': '返回',
  'app.close': '关闭',
  'app.retry': '重试',
  'app.slow': '网络较慢，请稍候',
  'app.home': '回首页',
  'app.stale': '网络断开，以下是 {time} 的内容',
  'app.tabs': '主要页面',

  'tab.home': '首页',
  'tab.visits': '我的预约',
  'tab.me': '我的',

  'kind.general': '普通门诊',
  'kind.specialist': '专家门诊',
  'kind.special': '特需门诊',

  'left.n': '余 {n}',
  'left.full': '约满',
  'left.not_open': '未放号',
  'left.none': '无出诊',
  'left.stopped': '停诊',
  'left.closed': '已截止',

  'dept.title': '选择科室',
  'dept.search': '科室或医生',
  'dept.search_hint': '汉字、拼音首字母或英文',
  'dept.next': '最早 {date}',
  'dept.full': '近期约满',
  'dept.child': '仅限 18 岁以下',
  'dept.adult': '仅限成人',
  'dept.none': '没有找到“{q}”',
  'dept.none_text': '换个词试试，或打电话问导诊台。',
  'dept.clear': '清空',
  'dept.found_departments': '科室',
  'dept.found_doctors': '医生',
  'dept.empty': '目前没有开放预约的科室',
  'dept.call': '打电话给医院',
  'dept.sum': '余号是 {n} 天内可预约的总数。',
  'dept.unsure': '不确定挂哪个科？可先挂全科，或打电话问导诊台。',

  'slot.group': '{half} · {kind} · {campus}',

  'fail.title': '暂时打不开',
  'fail.offline': '没有网络连接',
  'fail.offline_text': '请检查手机网络。已有的预约不受影响。',
  'fail.server_text': '医院系统没有回应，请稍后再试。已有的预约不受影响。',
  'fail.missing': '没有找到',
  'fail.missing_text': '可能已不再提供，或链接有误。',
  'fail.ref': '编号 {id}',

  'home.book': '预约挂号',
  'home.visits': '我的预约',
  'home.persons': '就诊人',
  'home.help': '帮助与联系',

  'ok.add': '第一次来，新建就诊人',
  'ok.bind': '来过本院，绑定已有档案',
  'ok.cannot_book': '此就诊人暂时不能预约',

  'visits.sign_in': '登录后查看您的预约',

  'relation.self': '本人',
  'relation.child': '孩子',
  'relation.spouse': '配偶',
  'relation.parent': '父母',
  'relation.other': '其他亲友',

  'me.sign_in': '登录',

  'help.call': '打电话给医院',

  'err.unknown': '没有成功，请再试一次。',
  'err.network': '没有网络，请检查后再试。',
  'err.not_eligible_name_missing': '请先补全就诊人的真实姓名',
  'err.not_eligible_document_missing': '请先补全就诊人的证件',
} as const
