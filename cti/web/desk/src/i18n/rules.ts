// Words of what administrators set: vocabularies, working calendars, limits; both languages side by side.

export const rulesZh = {
  title: '规则', lead: '词表、受理模板、常用语、工作日历与时限；每次修改都记入日志，从下一单起生效。',
  tab: { words: '词表', forms: '受理模板', phrases: '常用语', calendars: '工作日历', limits: '时限' },
  save: '保存', cancel: '取消', failed: '未完成：{why}', saved: '已保存',
  kind: {
    business: '业务', nature: '性质', complaint_type: '投诉类型', complainant_type: '投诉人类型', suggestion_category: '建议类别', unit: '单位', no_order_reason: '无需立单原因', pause_reason: '示忙原因', reply_mode: '回复方式',
    channel: '受理方式', coded_absence: '免填原因', vip_class: '客户级别', disposition: '通话结论', cause: '原因分类', remedy: '补救方式', satisfaction: '满意度', review_error: '复核差错', order_pause_reason: '暂停原因',
    intervention_reason: '干预原因', reassign_reason: '改派原因', extension_reason: '延期原因', disconnect_reason: '强拆原因', duty: '职责',
  },
  words: {
    count: '{count} 项', add: '新增', addBelow: '新增下级', rename: '改名', close: '停用', open: '恢复', move: '移动', code: '代码', zh: '中文', en: '英文', validity: '有效期', from: '自 {at} 起', to: '至 {at}', state: '状态',
    name: '代码（小写字母、数字、下划线）', first: '起用日期（可不填：立即）', closeFrom: '自哪天起停用', parent: '上级', top: '（最上层）', place: '排在', last: '最后', before: '“{word}” 之前',
    kept: '系统依此代码运行，只能改名', fixed: '此词表的代码由系统使用，只能改名，不能增减。', edited: '已由管理员维护', closeText: '停用后不能再选；已有定单仍显示原名。下级一并停用。', openText: '恢复后可以再选。',
    is: { open: '在用', coming: '待起用', closing: '将停用', closed: '已停用', hidden: '随上级停用' },
  },
  calendar: {
    add: '新建日历', code: '代码', version: '第 {version} 版 · {by} · {at}', zone: '时区', week: '每周班次', rest: '休息', addShift: '加一段', remove: '去掉', from: '开始', to: '结束', day: { mon: '周一', tue: '周二', wed: '周三', thu: '周四', fri: '周五', sat: '周六', sun: '周日', makeup: '调休班次' },
    holidays: '节假日', workdays: '调休上班日', addDay: '加一段日期', first: '第一天', last: '最后一天', years: '没有列出日期、但已确认的年份', unknown: '{years} 年的节假日尚未录入，按平常周计算', publish: '发布新版本', publishText: '运行中的时限不变，新开始的按新版本计算。',
    overlap: '班次须在 00:00 至 24:00 之间、先后有序且不重叠：{days}', noMakeup: '有调休上班日，请填写调休班次', units: '单位使用的日历', everybody: '其他所有单位', unit: '单位', calendar: '日历', assign: '指定', inherit: '取消指定，随上级',
    none: '请选择左侧的日历，或新建一个',
  },
  limit: {
    clock: '时钟', target: '时限', lead: '提前黄牌', shipped: '出厂 {target} / {lead}', given: '每次指定', pauses: '暂停时停走', never: '从不停走', source: '依据', changed: '{by} 于 {at} 修改', default: '默认值', change: '修改', reset: '恢复出厂', fixed: '在数据文件中设定',
    leadWrong: '黄牌必须早于时限', unit: { second: '秒', minute: '分', hour: '小时', day: '天' }, span: { second: '{count} 秒', minute: '{count} 分', hour: '{count} 小时', day: '{count} 天' },
  },
}

export const rulesEn: typeof rulesZh = {
  title: 'Rules', lead: 'Vocabularies, order templates, phrases, working calendars and limits; every change is logged and counts from the next order on.',
  tab: { words: 'Vocabularies', forms: 'Order templates', phrases: 'Phrases', calendars: 'Calendars', limits: 'Limits' },
  save: 'Save', cancel: 'Cancel', failed: 'Not done: {why}', saved: 'Saved',
  kind: {
    business: 'Business', nature: 'Nature', complaint_type: 'Complaint type', complainant_type: 'Complainant type', suggestion_category: 'Suggestions', unit: 'Units', no_order_reason: 'Why no order', pause_reason: 'Pause of an agent', reply_mode: 'Way of the reply',
    channel: 'Channel', coded_absence: 'Why left out', vip_class: 'Customer class', disposition: 'Disposition', cause: 'Cause', remedy: 'Remedy', satisfaction: 'Satisfaction', review_error: 'Review errors', order_pause_reason: 'Pause of an order',
    intervention_reason: 'Why somebody steps in', reassign_reason: 'Why it changes hands', extension_reason: 'Why it takes longer', disconnect_reason: 'Why a talk is ended', duty: 'Duties',
  },
  words: {
    count: '{count} entries', add: 'New entry', addBelow: 'Add below', rename: 'Rename', close: 'Retire', open: 'Use again', move: 'Move', code: 'Code', zh: 'Chinese', en: 'English', validity: 'In use', from: 'from {at}', to: 'to {at}', state: 'State',
    name: 'Code (small letters, digits, underscores)', first: 'First day (may be empty: at once)', closeFrom: 'Retired from', parent: 'Below', top: '(the top)', place: 'Stands', last: 'last', before: 'before “{word}”',
    kept: 'The product acts on this code: it can only be renamed', fixed: 'The product acts on these codes: words may be changed, entries not.', edited: 'kept by an administrator', closeText: 'It can be chosen no more, nor what is below it; orders that have it keep its name.', openText: 'It can be chosen again.',
    is: { open: 'in use', coming: 'to come', closing: 'to be retired', closed: 'retired', hidden: 'retired with its branch' },
  },
  calendar: {
    add: 'New calendar', code: 'Code', version: 'version {version} · {by} · {at}', zone: 'Time zone', week: 'Shifts of the week', rest: 'day of rest', addShift: 'Add a shift', remove: 'Remove', from: 'from', to: 'to', day: { mon: 'Mon', tue: 'Tue', wed: 'Wed', thu: 'Thu', fri: 'Fri', sat: 'Sat', sun: 'Sun', makeup: 'Make-up day' },
    holidays: 'Holidays', workdays: 'Make-up workdays', addDay: 'Add days', first: 'First day', last: 'Last day', years: 'Years that are known though no day is listed', unknown: 'The holidays of {years} are not written down yet: plain weeks are counted', publish: 'Publish a new version', publishText: 'Limits that run stay; those that start from now on count by it.',
    overlap: 'Shifts lie between 00:00 and 24:00, one after another: {days}', noMakeup: 'There are make-up workdays: give the shifts of a make-up day', units: 'Who works by which calendar', everybody: 'everybody else', unit: 'Unit', calendar: 'Calendar', assign: 'Assign', inherit: 'As its branch',
    none: 'Choose a calendar on the left, or make a new one',
  },
  limit: {
    clock: 'Clock', target: 'Limit', lead: 'Yellow before', shipped: 'shipped {target} / {lead}', given: 'given each time', pauses: 'stands still in a pause', never: 'never stands still', source: 'Source', changed: 'set by {by}, {at}', default: 'default', change: 'Change', reset: 'As shipped', fixed: 'set in the data file',
    leadWrong: 'The yellow card comes before the limit', unit: { second: 's', minute: 'min', hour: 'h', day: 'days' }, span: { second: '{count} s', minute: '{count} min', hour: '{count} h', day: '{count} days' },
  },
}
