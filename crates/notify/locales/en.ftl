# What patients are told. Time, place, doctor and "your appointment" only; nothing about anybody's health.
# Each message: title, status (the few words of a state), note (one short remark), chat (in the chat), sms.

none = –
outpatient = Outpatient clinic
open-link = View details
weekday-1 = Mon
weekday-2 = Tue
weekday-3 = Wed
weekday-4 = Thu
weekday-5 = Fri
weekday-6 = Sat
weekday-7 = Sun
day = { $weekday } { $date } { $month ->
    [1] Jan
    [2] Feb
    [3] Mar
    [4] Apr
    [5] May
    [6] Jun
    [7] Jul
    [8] Aug
    [9] Sep
    [10] Oct
    [11] Nov
   *[12] Dec
}

appointment_confirmed =
    .title = Appointment booked
    .status = Booked
    .note = Check in on time
    .chat =
        The appointment for { $person } is booked.
        When: { $time }
        With: { $who }
        Where: { $place }
        Please check in on time. If you can't come, cancel early so that someone else can have the place.
    .sms = Booked for { $person }: { $who }, { $time }, { $place }. Please check in on time, or cancel early if you can't come.

appointment_cancelled =
    .title = Appointment cancelled
    .status = Cancelled
    .note = At your request
    .chat =
        The appointment for { $person } is cancelled.
        It was for: { $time }
        With: { $who }
        You can book again whenever you like.
    .sms = Cancelled for { $person }: { $who }, { $time }. You can book again whenever you like.

appointment_moved =
    .title = Appointment moved
    .status = Moved
    .note = Come at the new time
    .chat =
        The appointment for { $person } has a new time.
        New time: { $time }
        Before: { $old_time }
        With: { $who }
        Where: { $place }
    .sms = The appointment for { $person } has moved to { $time } (it was { $old_time }): { $who }, { $place }. Please come at the new time.

appointment_reminder =
    .title = Appointment reminder
    .status = Coming up
    .note = Can't come? Cancel
    .chat =
        A reminder: { $person } has an appointment soon.
        When: { $time }
        With: { $who }
        Where: { $place }
        Please check in on time. If you can't come, please cancel early.
    .sms = Reminder for { $person }: { $who }, { $time }, { $place }. Please check in on time, or cancel early if you can't come.

appointment_stopped =
    .title = Clinic called off
    .status = Called off
    .note = Please choose again
    .chat =
        We are sorry: the clinic that { $person } has an appointment for is called off.
        It was for: { $time }
        With: { $who }
        Please choose another time, or call us on { $phone }.
    .sms = We are sorry: the clinic of { $person } with { $who } on { $time } is called off. Please choose another time, or call { $phone }.

appointment_restored =
    .title = Clinic takes place
    .status = Takes place
    .note = Your place is kept
    .chat =
        The clinic of { $person } takes place after all. Please disregard our earlier message: number and time are as before.
        Time: { $time }
        With: { $who }
        Where: { $place }
        If it no longer suits, you can cancel or change it freely. It will not be counted.
    .sms = The clinic of { $person } takes place after all, as before: { $who }, { $time }, { $place }. If it no longer suits, cancel or change it freely.

appointment_replaced =
    .title = Another doctor
    .status = Doctor changed
    .note = Keep, move or cancel
    .chat =
        Another doctor will see { $person }. Number and time stay the same.
        Now with: { $who }
        Time: { $time }
        Where: { $place }
        You can keep it, or change or cancel it freely. It will not be counted.
    .sms = Another doctor will see { $person }: now { $who }. Number and time stay the same: { $time }, { $place }. You can keep, change or cancel it freely.

waitlist_offer =
    .title = A place came free
    .status = Please confirm
    .note = Kept for a while
    .chat =
        A place that { $person } waits for came free, and is kept for you.
        When: { $time }
        With: { $who }
        Open this and confirm before { $until }; after that it goes to the next person.
    .sms = A place that { $person } waits for came free: { $who }, { $time }. Please confirm before { $until }, or it goes to the next person.

waitlist_closed =
    .title = Waitlist closed
    .status = No place
    .note = No place came free
    .chat =
        We are sorry: no place came free for { $person }, and the waitlist is closed.
        With: { $who }
        You can book another time, or ask at the counter on the day.
    .sms = We are sorry: no place with { $who } came free for { $person }, and the waitlist is closed. You can book another time, or ask at the counter.

no_show =
    .title = Missed appointment
    .status = Missed
    .note = Nobody checked in
    .chat =
        { $person } had an appointment and did not check in.
        When: { $time }
        With: { $who }
        { $note }.
        If there was a reason, or you were there after all, open this and tell us.
    .sms = { $person } did not check in for { $who } on { $time }. { $note }. If there was a reason, you can tell us on our page.

appeal_decided =
    .title = Your appeal
    .status = Decided
    .note = Open to read
    .chat =
        We have looked at what you wrote about the appointment that { $person } missed.
        When: { $time }
        With: { $who }
        { $note }.
    .sms = We have decided about the missed appointment of { $person } with { $who }: { $note }.

record_hand_over =
    .title = Now of age
    .status = Hand over
    .note = Let them link it
    .chat =
        { $person } is 18 now and takes over the record.
        You can still book until: { $time }
        Please let them link it to their own WeChat. After that you can be added again if they wish.
    .sms = { $person } is 18 now and takes over the record. You can still book until { $time }. Please let them link it to their own WeChat.

queue_soon =
    .title = Almost your turn
    .status = Waiting
    .note = Please come back
    .chat =
        { $ahead } before { $person }. Please come back to the waiting area.
        Waiting for: { $who }
        Number: { $number }
        Where: { $place }
    .sms = { $ahead } before { $person } ({ $who }). Please come back to { $place }.

queue_next =
    .title = You are next
    .status = Next
    .note = Wait at the door
    .chat =
        { $person } is next. Please wait at the door.
        Waiting for: { $who }
        Number: { $number }
        Where: { $place }
    .sms = { $person } is next ({ $who }). Please wait at { $place }.

queue_called =
    .title = You are called
    .status = Called
    .note = Please come now
    .chat =
        { $person } is called. Please come now.
        Number: { $number }
        Where: { $place }
        Waiting for: { $who }
    .sms = { $person } is called, number { $number }. Please come to { $place } now.

queue_missed =
    .title = You were called
    .status = Missed
    .note = Please stay near
    .chat =
        { $person } was called and was not there. You will be called again; please stay near.
        Number: { $number }
        Where: { $place }
        Note: { $note }
    .sms = { $person } was called and was not there, number { $number }. You will be called again; please stay near { $place }.

pick_up_ready =
    .title = Ready for pick-up
    .status = Ready
    .note = Show your code
    .chat =
        { $item } for { $person }: ready, you can come for it now.
        Where: { $place }
        Please show the code on your phone.
    .sms = { $item } for { $person }: ready at { $place }. Please show the code on your phone.

pick_up_reminder =
    .title = Waiting for you
    .status = Ready
    .note = Not picked up yet
    .chat =
        { $item } for { $person }: still waiting to be picked up. Please come when it suits you.
        Where: { $place }
        Please show the code on your phone.
    .sms = { $item } for { $person }: still waiting at { $place }. Please come when it suits you and show the code on your phone.

payment_returned =
    .title = Refund
    .status = Under way
    .note = On its way back
    .chat =
        Your payment for { $what } is being refunded.
        Amount: { $amount }
        Why: { $note }
        It goes back the way it came; when it arrives is up to the bank or platform.
    .sms = Your payment for { $what } is being refunded: { $amount }. { $note }. It goes back the way it came.

service_today =
    .title = Due today
    .status = Due
    .note = Paid and due today
    .chat =
        A reminder: { $what }, which is paid for { $person }, is due today.
        Please come in time. Questions? Call { $phone }.
    .sms = Reminder for { $person }: { $what } is paid and due today. Please come in time. Questions? Call { $phone }.

sms_code =
    .title = Verification code
    .status = Code
    .note = Keep it to yourself
    .chat = Your code is { $code }. It is good for { $minutes } minutes. Please keep it to yourself.
    .sms = Your code is { $code }. It is good for { $minutes } minutes. Hospital staff will never ask you for it; please keep it to yourself.
