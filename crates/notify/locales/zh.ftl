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
