// Words of clocks explained, in both languages.

export const clocksZh = {
  why: '为何是这个时间', hide: '收起', limit: '时限 {span}', given: '指定时间 {at}', lead: '提前 {span} 黄牌', everyHour: '按自然时间计', byCalendar: '按工作日历 {calendar} 计',
  onlyReported: '仅列示，不考核', sum: '合计 {span}', countsFrom: '自 {at} 起重新计算', paused: '累计暂停 {span}',
  piece: { ran: '已计', left: '剩余', paused: '暂停' }, until: '{from} 至 {to}', open: '{from} 起',
  changed: '{at} 由 {by} 改为 {to}（原 {from}）：{reason}', card: { yellow: '黄牌 {at}', red: '红牌 {at}' }, none: '无',
  unknownYear: '{year} 年的节假日尚未录入，按平常周计算', outcome: { met: '按时', breached: '超时', void: '不计' },
  workingTime: '按工作时间', seconds: '{count} 秒', minutes: '{count} 分', hours: '{count} 小时', pausedUntil: '已暂停：{reason}', control: '已暂停',
}

export const clocksEn = {
  why: 'Why then', hide: 'Hide', limit: 'Limit {span}', given: 'Given as {at}', lead: 'yellow {span} before', everyHour: 'every hour counts', byCalendar: 'by working calendar {calendar}',
  onlyReported: 'reported, not judged', sum: 'Together {span}', countsFrom: 'Counted anew from {at}', paused: 'Paused for {span}',
  piece: { ran: 'Counted', left: 'Left', paused: 'Paused' }, until: '{from} to {to}', open: 'from {from}',
  changed: '{at} {by} set {to} (before: {from}): {reason}', card: { yellow: 'Yellow card {at}', red: 'Red card {at}' }, none: 'none',
  unknownYear: 'The holidays of {year} are not written down yet: plain weeks are counted', outcome: { met: 'in time', breached: 'late', void: 'not counted' },
  workingTime: 'Working time', seconds: '{count} s', minutes: '{count} min', hours: '{count} h', pausedUntil: 'Paused: {reason}', control: 'Paused',
}
