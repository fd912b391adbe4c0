// Words of process templates and the responsibility map, in both languages.

export const processesZh = {
  title: '流程与职责', lead: '哪类定单按什么流程、由哪个单位办理。发布的版本不再改动，已登记的定单沿用登记时的版本。',
  tab: { templates: '流程模板', map: '职责表' },
  state: { draft: '草稿', coming: '待生效', in_force: '生效中', retired: '已停用', over: '已结束' },
  kind: { complaint: '投诉', suggestion: '建议', appeal: '申诉', coordination: '协调' },
  axis: { complaint_type: '投诉类型', business: '业务', nature: '性质' }, all: '全部定单', any: '不限',
  template: '模板', add: '新建模板', code: '代码', codeHint: '小写字母、数字、- _', zh: '中文名称', en: '英文名称', kindOf: '定单种类', create: '建立', cancel: '取消',
  version: '第 {number} 版', running: '在办 {count}', published: '{by} 于 {at} 发布', from: '{at} 起生效', until: '{at} 停用', none: '还没有流程模板', choose: '从左侧选择模板',
  covers: '适用范围', addCover: '加一条范围', nodes: '环节', addNode: '加一个环节', removeNode: '删除环节', removeCover: '删除范围',
  node: { name: '环节', task: '要做什么', limit: '时限', unit: '单位', duty: '职责', by: '由谁', byUnit: '指定单位', byDuty: '按职责表', workplace: '工位', after: '在其后', start: '派单即下达', waits: '{names} 办结后下达', working: '按工作时间' },
  hours: '{count} 小时', days: '{count} 天',
  edit: '编写新版本', editDraft: '继续编写草稿', save: '保存草稿', publish: '发布', publishNow: '立即生效', publishFrom: '生效日期', discard: '丢弃草稿', retire: '停用模板', note: '改动说明', saved: '草稿已保存',
  retireSure: '停用后新登记的定单不再用此模板，在办定单不受影响。', sure: '确定停用',
  try: '试一试', tryLead: '选一个分类，看系统会用哪个模板、派给谁', tryNone: '没有匹配的模板', handled: '由 {unit} 处理', nobody: '职责表未规定',
  map: {
    duty: '职责', cover: '适用定单', unit: '单位', from: '起', until: '止', reason: '依据', add: '新增职责', reassign: '调整单位', end: '结束', to: '调整为', fromDay: '生效日期', give: '确定',
    people: '{count} 人', nobody: '无人接单', undecided: '{count} 张待定', decide: '决定去向', over: '显示已结束', ended: '结束这项职责',
    live: '在办工单', liveNone: '没有受影响的在办工单', liveLead: '{count} 张在办工单，请明确去向：', follow: '随职责移交', stay: '留在原单位', followHint: '转到新单位收件箱，时限不变', stayHint: '由原单位办完', other: '此单例外',
    later: '生效日在以后：届时再决定在办工单的去向。', owner: '持有 {who}', chooseFirst: '请先选择在办工单的去向',
  },
  planned: '{name}，{names} 办结后下达', byTemplate: '按模板“{name}”第 {number} 版填入', plannedNow: '{name}，立即下达',
}

export const processesEn: typeof processesZh = {
  title: 'Processes and duties', lead: 'Which orders follow which process, and which unit works on them. A published version never changes; orders keep the version they were registered under.',
  tab: { templates: 'Process templates', map: 'Responsibility map' },
  state: { draft: 'Draft', coming: 'Coming', in_force: 'In force', retired: 'Retired', over: 'Over' },
  kind: { complaint: 'Complaint', suggestion: 'Suggestion', appeal: 'Appeal', coordination: 'Coordination' },
  axis: { complaint_type: 'Type', business: 'Business', nature: 'Nature' }, all: 'All orders', any: 'any',
  template: 'Template', add: 'New template', code: 'Code', codeHint: 'lower-case letters, digits, - _', zh: 'Chinese name', en: 'English name', kindOf: 'Kind of order', create: 'Create', cancel: 'Cancel',
  version: 'Version {number}', running: '{count} under way', published: 'Published by {by} {at}', from: 'in force from {at}', until: 'retired {at}', none: 'There is no template yet', choose: 'Choose a template on the left',
  covers: 'For which orders', addCover: 'Add a line', nodes: 'Steps', addNode: 'Add a step', removeNode: 'Remove the step', removeCover: 'Remove the line',
  node: { name: 'Step', task: 'What is to be done', limit: 'Limit', unit: 'Unit', duty: 'Duty', by: 'By whom', byUnit: 'this unit', byDuty: 'by the map', workplace: 'Workplace', after: 'After', start: 'sent at dispatch', waits: 'sent after {names}', working: 'working time' },
  hours: '{count} h', days: '{count} days',
  edit: 'Write a new version', editDraft: 'Go on with the draft', save: 'Save the draft', publish: 'Publish', publishNow: 'At once', publishFrom: 'From', discard: 'Discard the draft', retire: 'Retire', note: 'What changes', saved: 'Draft saved',
  retireSure: 'No new order will follow it; those under way go on.', sure: 'Retire it',
  try: 'Try it', tryLead: 'Choose a classification and see what would be done', tryNone: 'No template fits', handled: 'handled by {unit}', nobody: 'nobody in the map',
  map: {
    duty: 'Duty', cover: 'For which orders', unit: 'Unit', from: 'From', until: 'Until', reason: 'Reason', add: 'Give a duty', reassign: 'Reassign', end: 'End', to: 'To', fromDay: 'From', give: 'Confirm',
    people: '{count} people', nobody: 'nobody there', undecided: '{count} undecided', decide: 'Decide', over: 'Show what is over', ended: 'End this duty',
    live: 'Work under way', liveNone: 'No work order is affected', liveLead: '{count} work orders are under way; say what becomes of them:', follow: 'They follow', stay: 'They stay', followHint: "to the new unit's inbox, same limit", stayHint: 'the old unit ends them', other: 'not this one',
    later: 'It takes effect later: work under way is decided on then.', owner: 'held by {who}', chooseFirst: 'Choose what becomes of the work under way',
  },
  planned: '{name}, sent after {names}', byTemplate: 'Filled in from the template “{name}”, version {number}', plannedNow: '{name}, sent at once',
}
