// Words of call-backs, in both languages.

export const controlZh = {
  surveys: {
    title: '回访', lead: '最需要回访的排在最前；客户约定时间的到时再排', none: '没有待回访的定单', noneGrades: '没有待跟进的差评', total: '共 {count} 件', mine: '只看我的',
    tab: { orders: '定单回访', grades: '差评跟进' }, choose: '请从左侧选择', order: '查看定单', need: '需要程度 {count}', since: '{at} 起', later: '约 {at}', number: '联系电话',
    reason: { bad_grade: '按键差评', unhappy: '客户不满意', again: '再次派单', repeat: '重复投诉', late: '曾超期', vip: '大客户', urgent: '加急' },
    vain: { title: '未联系上', lead: '已呼叫 {made} 次，满 {needed} 次可登记为多次未联系上', why: '原因', note: '说明', until: '客户约定时间', save: '登记未联系上' },
    profile: { title: '客户信息', lead: '自愿填写；每项记录来源和日期', refused: '不愿回答', choose: '未问', save: '保存', saved: '已保存', noted: '{source}，{at}', none: '定单没有关联客户，无法登记' },
    source: { follow_up: '回访', manual: '录入', import: '导入', sample: '样例' },
    history: { surveyor: '调查员', department: '部门回访', apologised: '道歉', explained: '解释', remedied: '补救（二次派单）', vain: '未联系上' },
    grade: { given: '按键 {grade}，接话 {agent}', claim: '领取', release: '退回', opinion: '客户怎么说', final: '现在的评价（按键）', done: '跟进完成', by: '{owner} 处理中', noOrder: '没有定单' },
  },
}

export const controlEn = {
  surveys: {
    title: 'Follow-up', lead: 'Who needs a call most comes first; who named a time comes then', none: 'No order waits for a call', noneGrades: 'No bad grade waits', total: '{count} in all', mine: 'Mine only',
    tab: { orders: 'Orders', grades: 'Bad grades' }, choose: 'Choose one on the left', order: 'See the order', need: 'Need {count}', since: 'since {at}', later: 'not before {at}', number: 'Number',
    reason: { bad_grade: 'Bad grade by key', unhappy: 'Not satisfied', again: 'Dispatched again', repeat: 'Complained again', late: 'Was late', vip: 'Major customer', urgent: 'Urgent' },
    vain: { title: 'Not reached', lead: 'Called {made} times; after {needed} it may end as not reached', why: 'Why', note: 'Note', until: 'Time he named', save: 'Record the call in vain' },
    profile: { title: 'About the customer', lead: 'Only if he likes; each answer keeps its source and date', refused: 'Would not say', choose: 'Not asked', save: 'Save', saved: 'Saved', noted: '{source}, {at}', none: 'The order has no customer to note this of' },
    source: { follow_up: 'Follow-up', manual: 'Typed', import: 'Imported', sample: 'Sample' },
    history: { surveyor: 'Surveyor', department: 'Department', apologised: 'Apologised', explained: 'Explained', remedied: 'Remedied (second dispatch)', vain: 'Not reached' },
    grade: { given: 'Key {grade}, served by {agent}', claim: 'Take', release: 'Give back', opinion: 'What the customer says', final: 'Grade now (key)', done: 'Done', by: 'With {owner}', noOrder: 'No order' },
  },
}
