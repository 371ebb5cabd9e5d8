# 发给患者的文字。只写时间、地点、医生和“预约”，不写任何与病情有关的内容。
# 每条消息：title 标题，status 五个字以内的状态，note 一句说明（二十字以内），chat 会话消息，sms 短信。

none = 无
outpatient = 门诊
open-link = 查看详情
weekday-1 = 周一
weekday-2 = 周二
weekday-3 = 周三
weekday-4 = 周四
weekday-5 = 周五
weekday-6 = 周六
weekday-7 = 周日
day = { $month }月{ $date }日（{ $weekday }）

appointment_confirmed =
    .title = 预约成功
    .status = 预约成功
    .note = 请按时到院报到
    .chat =
        { $person }的预约已成功。
        时间：{ $time }
        医生：{ $who }
        地点：{ $place }
        请按时到院报到；来不了请提前取消，把号留给需要的人。
    .sms = { $person }的预约已成功：{ $who }，{ $time }，{ $place }。请按时到院报到；来不了请提前取消。

appointment_cancelled =
    .title = 预约已取消
    .status = 已取消
    .note = 已按您的要求取消
    .chat =
        { $person }的预约已取消。
        原定时间：{ $time }
        医生：{ $who }
        需要时可以重新预约。
    .sms = { $person }的预约已取消：{ $who }，{ $time }。需要时可以重新预约。

appointment_moved =
    .title = 改约成功
    .status = 已改约
    .note = 请按新的时间到院报到
    .chat =
        { $person }的预约已改到新的时间。
        新的时间：{ $time }
        原来的时间：{ $old_time }
        医生：{ $who }
        地点：{ $place }
    .sms = { $person }的预约已改约：{ $who }，新的时间{ $time }，原来的时间{ $old_time }，{ $place }。请按新的时间到院报到。

appointment_reminder =
    .title = 就诊提醒
    .status = 待就诊
    .note = 来不了请提前取消
    .chat =
        提醒您，{ $person }的就诊时间快到了。
        时间：{ $time }
        医生：{ $who }
        地点：{ $place }
        请按时到院报到；来不了请提前取消。
    .sms = 提醒您，{ $person }预约了{ $who }，{ $time }，{ $place }。请按时到院报到；来不了请提前取消。

appointment_stopped =
    .title = 停诊通知
    .status = 已停诊
    .note = 医生停诊，请改约其他时间
    .chat =
        很抱歉，{ $person }预约的门诊停诊了。
        原定时间：{ $time }
        医生：{ $who }
        请改约其他时间，或致电 { $phone } 咨询。
    .sms = 很抱歉，{ $person }预约的门诊停诊了：{ $who }，原定{ $time }。请改约其他时间，或致电{ $phone }咨询。

appointment_restored =
    .title = 恢复出诊通知
    .status = 照常就诊
    .note = 您的号还在，请按原时间来
    .chat =
        { $person }的门诊恢复了，之前的停诊通知作废，您的号和时间都不变。
        时间：{ $time }
        医生：{ $who }
        地点：{ $place }
        如果不方便来，可以免费取消或改约，不计次数。
    .sms = { $person }的门诊恢复了，之前的停诊通知作废，号和时间都不变：{ $who }，{ $time }，{ $place }。不方便来可以取消或改约，不计次数。

appointment_replaced =
    .title = 就诊医生变更通知
    .status = 医生变更
    .note = 可保留、改约或取消，不计次数
    .chat =
        { $person }预约的门诊换了医生，您的号和时间都不变。
        现在的医生：{ $who }
        时间：{ $time }
        地点：{ $place }
        可以保留，也可以免费改约或取消，不计次数。
    .sms = { $person }预约的门诊换了医生，现在由{ $who }看诊，号和时间不变：{ $time }，{ $place }。可以保留，也可以改约或取消，不计次数。

waitlist_offer =
    .title = 候补有号了
    .status = 待确认
    .note = 请在保留时间内确认
    .chat =
        { $person }候补的号有了，已为您保留。
        时间：{ $time }
        医生：{ $who }
        请在{ $until }前点开确认；过了时间，号会转给下一位。
    .sms = { $person }候补的号有了：{ $who }，{ $time }。请在{ $until }前确认，过时转给下一位。

waitlist_closed =
    .title = 候补已截止
    .status = 未候补到
    .note = 没有等到号
    .chat =
        很抱歉，{ $person }候补的号没有等到，候补已截止。
        医生：{ $who }
        您可以预约其他时间，或到窗口咨询当天的号。
    .sms = 很抱歉，{ $person }候补的{ $who }没有等到号，候补已截止。您可以预约其他时间，或到窗口咨询当天的号。

no_show =
    .title = 爽约记录
    .status = 未就诊
    .note = 预约后没有到院
    .chat =
        { $person }预约后没有到院报到。
        时间：{ $time }
        医生：{ $who }
        { $note }。
        如果有原因，或者您其实来了，请点开说明。
    .sms = { $person }预约的{ $who }（{ $time }）没有报到。{ $note }。有原因可以在页面申诉。

appeal_decided =
    .title = 申诉结果
    .status = 已处理
    .note = 请点开查看
    .chat =
        { $person }的爽约申诉已处理。
        时间：{ $time }
        医生：{ $who }
        { $note }。
    .sms = { $person }关于{ $who }的爽约申诉已处理：{ $note }。

record_hand_over =
    .title = 就诊人已成年
    .status = 待交接
    .note = 请本人绑定自己的档案
    .chat =
        { $person }已满 18 岁，档案将由本人管理。
        您仍可代为预约到：{ $time }
        请本人用自己的微信绑定；之后需要您代办的，由本人同意后再添加。
    .sms = { $person }已满 18 岁，档案将由本人管理，您可代为预约到{ $time }。请本人用自己的微信绑定。

queue_soon =
    .title = 候诊提醒
    .status = 候诊中
    .note = 请回到候诊区等候
    .chat =
        { $person }前面还有 { $ahead } 位，请回到候诊区等候。
        队列：{ $who }
        号码：{ $number }
        地点：{ $place }
    .sms = { $person }在{ $who }候诊，前面还有{ $ahead }位，请回到{ $place }等候。

queue_next =
    .title = 候诊提醒
    .status = 下一位
    .note = 下一位就是您，请在诊室外等候
    .chat =
        下一位就是{ $person }，请在诊室外等候。
        队列：{ $who }
        号码：{ $number }
        地点：{ $place }
    .sms = 下一位就是{ $person }（{ $who }），请到{ $place }等候。

queue_called =
    .title = 叫号通知
    .status = 请进诊室
    .note = 已叫到您，请现在过来
    .chat =
        已叫到{ $person }，请现在过来。
        号码：{ $number }
        地点：{ $place }
        队列：{ $who }
    .sms = 已叫到{ $person }，号码{ $number }，请现在到{ $place }。

queue_missed =
    .title = 过号提醒
    .status = 已过号
    .note = 刚才叫到您，会再次叫号，请勿走远
    .chat =
        刚才叫到{ $person }，您没有到。会再次叫号，请勿走远。
        号码：{ $number }
        地点：{ $place }
        说明：{ $note }
    .sms = { $person }已过号，号码{ $number }，会再次叫号，请到{ $place }等候，勿走远。

pick_up_ready =
    .title = 取件通知
    .status = 可以领取
    .note = 已经准备好，请凭领取码领取
    .chat =
        { $person }的{ $item }已经准备好，可以来取了。
        地点：{ $place }
        请在手机上出示领取码。
    .sms = { $person }的{ $item }已经准备好，请到{ $place }领取，并在手机上出示领取码。

pick_up_reminder =
    .title = 取件提醒
    .status = 等待领取
    .note = 还没有领取，请方便时来取
    .chat =
        { $person }的{ $item }还没有领取，请方便时来取。
        地点：{ $place }
        请在手机上出示领取码。
    .sms = { $person }的{ $item }还没有领取，请方便时到{ $place }领取，并在手机上出示领取码。

payment_returned =
    .title = 退款通知
    .status = 退款中
    .note = 原路退回，请留意到账
    .chat =
        您支付的{ $what }正在退款。
        金额：{ $amount }
        原因：{ $note }
        款项原路退回，到账时间以银行或支付平台为准。
    .sms = 您支付的{ $what }正在退款，金额{ $amount }。{ $note }。款项原路退回，请留意到账。

service_today =
    .title = 今日提醒
    .status = 待完成
    .note = 已缴费，今天可以做
    .chat =
        提醒您，{ $person }已缴费的{ $what }安排在今天。
        请按时到院；有疑问请致电 { $phone }。
    .sms = 提醒您，{ $person }已缴费的{ $what }安排在今天，请按时到院。有疑问请致电{ $phone }。

sms_code =
    .title = 验证码
    .status = 验证码
    .note = 请勿告诉他人
    .chat = 您的验证码是 { $code }，{ $minutes } 分钟内有效，请勿告诉他人。
    .sms = 您的验证码是{ $code }，{ $minutes }分钟内有效。医院工作人员不会向您索要验证码，请勿告诉他人。
