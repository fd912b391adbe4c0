// Words of order templates and phrases as administrators write them, both languages side by side.

export const formsZh = {
  add: '新建模板', code: '代码', zh: '中文名称', en: '英文名称', kind: '类别', complaint_type: '投诉类型', business: '业务', any: '不限', none: '请选择左侧的模板，或新建一个',
  lead: '某一类别、投诉类型、业务的定单要问什么；越具体的模板越优先。类别自身的要求不能减少。已登记的定单按登记时的模板。',
  retire: '停用', open: '恢复', retired: '已停用', edited: '已由管理员维护', version: '第 {version} 版', save: '保存', cancel: '取消', saved: '已保存', reload: '载入最新内容',
  element: '要素', ask: '模板要求', prompt: '提示语（中文 / 英文）', prefill: '预填',
  rule: { required: '类别：必填', codeable: '类别：必填，可说明原因', optional: '类别：选填', hidden: '类别：不显示' },
  asks: { none: '按类别', must: '必填', may: '必填，可说明原因' },
  group: { head: '其他', what: '分类', event: '事件', wants: '诉求与承诺', who: '联系人' },
  wrong: { missing: '必须填写', both: '提示语须中英文都写', code: '小写字母、数字、- 与 _，最多 40 个' },
  phrase: {
    lead: '话务员在该要素旁选用的常用语；按投诉类型显示。', add: '新增常用语', change: '修改', field: '要素', zh: '中文', en: '英文', place: '次序', all: '全部要素', every: '所有类型', count: '{count} 条', state: '状态', open: '在用', none: '没有常用语',
  },
}

export const formsEn: typeof formsZh = {
  add: 'New template', code: 'Code', zh: 'Chinese name', en: 'English name', kind: 'Kind', complaint_type: 'Complaint type', business: 'Business', any: 'any', none: 'Choose a template on the left, or make a new one',
  lead: 'What orders of a kind, type and business are asked; the finest template that fits is taken. It never asks less than the kind. Orders keep the template they were registered under.',
  retire: 'Retire', open: 'Use again', retired: 'retired', edited: 'kept by an administrator', version: 'version {version}', save: 'Save', cancel: 'Cancel', saved: 'Saved', reload: 'Load what is there now',
  element: 'Element', ask: 'The template asks', prompt: 'Prompt (Chinese / English)', prefill: 'Filled in at first',
  rule: { required: 'kind: required', codeable: 'kind: required or coded', optional: 'kind: optional', hidden: 'kind: not shown' },
  asks: { none: 'as the kind', must: 'required', may: 'required or coded' },
  group: { head: 'Other', what: 'Class', event: 'Event', wants: 'Wishes and promise', who: 'Contact' },
  wrong: { missing: 'This is needed', both: 'A prompt needs both languages', code: 'Small letters, digits, - and _, at most 40' },
  phrase: {
    lead: 'Phrases an agent takes over beside an element, by type of complaint.', add: 'New phrase', change: 'Change', field: 'Element', zh: 'Chinese', en: 'English', place: 'Order', all: 'All elements', every: 'every type', count: '{count} phrases', state: 'State', open: 'in use', none: 'No phrases',
  },
}
