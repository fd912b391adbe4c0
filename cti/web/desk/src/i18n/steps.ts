// Words of an order's steps, in both languages.

export const stepsZh = {
  title: {
    answer: '现场答复', hand_to_senior: '转高级处理', propose: '拟派单', send_back: '复核退回', invalidate: '无效撤消', solve: '不派单解决', approve: '复核通过并派单',
    dispatch: '派单', reply: '回复客户', rate: '登记回访', redispatch: '二次派单', file: '归档', accept: '接单', begin: '开始处理', finish: '回单',
    to_manager: '转经理热线', cancel: '取消', force_end: '强制结束', to_archivist: '转资料管理员', report: '摘报', acknowledge: '签收变更', to_head: '交负责人', take_back: '退回经办',
    return: '退回中心', transfer: '转派', supplement: '追单', recall: '退单',
  },
  field: {
    opinion: '意见', satisfaction: '客户满意度', fcr: '一次解决', reason: '原因', tasks: '工单', errors: '差错类型', checks: '复核检查', warned_unit: '书面警告单位',
    customer_told: '如何告知客户', cause: '原因分类', result: '处理结果', channel: '回复方式', channel_reason: '为何不用客户要求的方式', final: '最终回复', outcome: '回访结果', handled: '如何处理',
    grade: '评价', wanted: '客户要求', content: '内容索引', customer_nature: '客户性质', department: '被投诉部门', originals: '原件存放', service_number: '业务号码',
    handled_at: '处理时间', overtime_reason: '超时原因', unit: '单位', task: '任务', limit: '时限', evidence: '依据', thanks: '已向客户致谢', digest: '摘报编号', addressees: '送报对象（每行一个，三个）', decision: '决定',
    from_workplace: '原工位', to_workplace: '转至工位', to_unit: '转至单位', limit_s: '时限',
  },
  choice: { satisfied: '满意', unreachable: '多次未联系上', apologised: '道歉', explained: '解释', withdrew: '客户取消诉求', insufficient: '信息不全', malicious: '恶意诉求', special: '特殊原因' },
  check: { valid: '有效投诉', serial: '单号无误', complainant_type: '投诉人类型', complaint_type: '投诉类型' },
  review: {
    title: '复核', dispatch: '派单', supplement: '追单', recall: '退单', second_dispatch: '二次派单', open: '待复核', approved: '通过', sent_back: '退回', invalid: '无效',
    withdrawn: '撤回', warning: '书面警告 {number}', by: '{author} 提出', decided: '{reviewer} 复核',
  },
  history: { replies: '回复客户', surveys: '回访', final: '最终', onTheSpot: '现场', dissatisfied: '不满意', satisfied: '满意', unreachable: '未联系上' },
  work: { title: '部门待办', lead: '本单位的工单，按时限排列', none: '没有待办工单', mine: '只看我的', overdue: '只看超期', done: '已回单', live: '待办', order: '查看定单', from: '派送意见' },
  hours: '{count} 小时', days: '{count} 天', addTask: '加一个单位', removeTask: '去掉', yes: '是', no: '否', todo: '待我处理', failed: '未完成：{why}', nav: '工单',
}

export const stepsEn = {
  title: {
    answer: 'Answered at once', hand_to_senior: 'To the seniors', propose: 'Propose a dispatch', send_back: 'Send back', invalidate: 'Not valid', solve: 'Solved without dispatch', approve: 'Approve and dispatch',
    dispatch: 'Dispatch', reply: 'Reply to the customer', rate: 'Record the follow-up', redispatch: 'Second dispatch', file: 'Archive', accept: 'Accept', begin: 'Begin', finish: 'Answer',
    to_manager: 'To the manager', cancel: 'Cancel the order', force_end: 'End by force', to_archivist: 'To the archivist', report: 'Report', acknowledge: 'Change read', to_head: 'To the head', take_back: 'Go on',
    return: 'Return', transfer: 'Transfer', supplement: 'Supplement', recall: 'Recall',
  },
  field: {
    opinion: 'Opinion', satisfaction: 'Customer satisfaction', fcr: 'Solved at first contact', reason: 'Reason', tasks: 'Work orders', errors: 'Kinds of error', checks: 'Checks', warned_unit: 'Unit warned in writing',
    customer_told: 'How the customer was told', cause: 'Cause', result: 'Result', channel: 'Reply by', channel_reason: 'Why not as the customer asked', final: 'Final reply', outcome: 'Outcome', handled: 'What was done',
    grade: 'Grade', wanted: 'What the customer wants', content: 'Index of contents', customer_nature: 'Kind of customer', department: 'Unit complained about', originals: 'Where the originals are', service_number: 'Service number',
    handled_at: 'Handled at', overtime_reason: 'Reason of the delay', unit: 'Unit', task: 'Task', limit: 'Limit', evidence: 'Evidence', thanks: 'Customer was thanked', digest: 'Number of the digest', addressees: 'Addressees (one a line, three)', decision: 'Decision',
    from_workplace: 'From workplace', to_workplace: 'To workplace', to_unit: 'To unit', limit_s: 'Limit',
  },
  choice: { satisfied: 'Satisfied', unreachable: 'Not reached', apologised: 'Apologised', explained: 'Explained', withdrew: 'Customer withdrew', insufficient: 'Too little information', malicious: 'Malicious', special: 'Special' },
  check: { valid: 'Valid complaint', serial: 'Order number', complainant_type: 'Complainant type', complaint_type: 'Complaint type' },
  review: {
    title: 'Review', dispatch: 'Dispatch', supplement: 'Supplement', recall: 'Recall', second_dispatch: 'Second dispatch', open: 'Waiting', approved: 'Approved', sent_back: 'Sent back', invalid: 'Not valid',
    withdrawn: 'Withdrawn', warning: 'Written warning {number}', by: 'Proposed by {author}', decided: 'Reviewed by {reviewer}',
  },
  history: { replies: 'Replies', surveys: 'Follow-up', final: 'final', onTheSpot: 'at once', dissatisfied: 'Dissatisfied', satisfied: 'Satisfied', unreachable: 'Not reached' },
  work: { title: 'Department inbox', lead: 'Work orders of your unit, the nearest limit first', none: 'No work orders', mine: 'Mine only', overdue: 'Overdue only', done: 'Answered', live: 'Open', order: 'See the order', from: 'Dispatch opinion' },
  hours: '{count} h', days: '{count} days', addTask: 'Add a unit', removeTask: 'Remove', yes: 'Yes', no: 'No', todo: 'For me', failed: 'Not done: {why}', nav: 'Work orders',
}
