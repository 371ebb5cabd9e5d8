/** Words that dates, times and amounts are made of, in both languages (both small, both always there). */
export const words = {
  zh: {
    weekdays: ['周日', '周一', '周二', '周三', '周四', '周五', '周六'],
    halves: { am: '上午', pm: '下午', night: '晚上' },
    today: '今天',
    tomorrow: '明天',
    date: '{m}月{d}日',
    year: '{y}年',
    day: '{date} {weekday}',
    tight: '{weekday} {m}/{d}',
    join: '{a} {b}',
    age: '{n}岁',
    months: ['1月', '2月', '3月', '4月', '5月', '6月', '7月', '8月', '9月', '10月', '11月', '12月'],
  },
  en: {
    weekdays: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'],
    halves: { am: 'morning', pm: 'afternoon', night: 'evening' },
    today: 'today',
    tomorrow: 'tomorrow',
    date: '{d} {month}',
    year: ' {y}',
    day: '{weekday} {date}',
    tight: '{weekday} {date}',
    join: '{a}, {b}',
    age: '{n}',
    months: ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'],
  },
} as const
