// Words of an order's steps, in both languages.

export const stepsZh = {
  title: {
    answer: '现场答复', hand_to_senior: '转高级处理', propose: '拟派单', send_back: '复核退回', invalidate: '无效撤消', solve: '不派单解决', approve: '复核通过并派单',
    dispatch: '派单', reply: '回复客户', rate: '登记回访', redispatch: '二次派单', file: '归档', accept: '接单', begin: '开始处理', finish: '回单',
    pause: '暂停', resume: '恢复', to_manager: '转经理热线', cancel: '取消', force_end: '强制结束', to_archivist: '转资料管理员', report: '摘报', acknowledge: '签收', to_head: '交负责人', take_back: '退回经办',
    return: '退回中心', transfer: '转派', supplement: '追单', recall: '退单',
    to_leader: '交领导协调', raise: '交公司高层', coordinate: '协调决定', ask_force_end: '申请强制结束', keep: '不强制结束', customer_adds: '客户补充', tell: '告知方案', remedy: '补救', chase: '催单', decide_remedy: '审批补救', propose_supplement: '拟追单', propose_recall: '拟退单', approve_change: '变更通过', refuse_change: '变更退回', assign_field: '派现场人员', field_report: '现场反馈', note: '追加消息', send_on: '改派', drop: '不再派', ask_extension: '申请延期', reassign: '改派经办人', reassign_work: '改派经办人', grant_extension: '同意延期', refuse_extension: '不同意延期',
  },
  field: {
    opinion: '意见', satisfaction: '客户满意度', fcr: '一次解决', reason: '原因', reason_code: '干预原因', tasks: '工单', errors: '差错类型', checks: '复核检查', warned_unit: '书面警告单位',
    customer_told: '如何告知客户', cause: '原因分类', result: '处理结果', channel: '回复方式', channel_reason: '为何不用客户要求的方式', final: '最终回复', outcome: '回访结果', handled: '如何处理',
    grade: '评价', wanted: '客户要求', content: '内容索引', customer_nature: '客户性质', department: '被投诉部门', originals: '原件存放', service_number: '业务号码',
    handled_at: '处理时间', overtime_reason: '超时原因', unit: '单位', task: '任务', limit: '时限', evidence: '依据', asked_by: '谁在催', urgent: '加急', thanks: '已向客户致谢', digest: '摘报编号', addressees: '送报对象（每行一个，三个）', decision: '决定',
    from_workplace: '原工位', to_workplace: '转至工位', to_unit: '转至单位', limit_s: '时限', resume_expected_at: '预计恢复时间', note: '说明',
    trigger: '转交情形', earlier_serial: '原单号（本单即重复单时可不填）', question: '需协调的问题', level: '层级', lead_unit: '牵头单位', text: '内容', answer: '答复', work_order: '要变更的工单', promise_text: '重新承诺', promise_due_at: '承诺时间', plan: '处理方案', told_due_at: '告知的时间', time_reason: '所需时间的原因', agreed: '客户认可', remedy: '补救方式', amount: '金额（元）', granted: '同意', person: '接手人工号（现场或经办，不填则放回队列）', liability: '责任', apology: '已道歉', due_at: '新的时限',
  },
  choice: { overdue_repeat: '超期重复投诉', refuses_answer: '不接受正确答复', answered: '当即答复', supplement: '追单', recall: '退单', company: '公司', centre: '中心', customer: '客户', third_party: '第三方', none: '无', 1: '领导', 2: '公司高层', satisfied: '满意', unreachable: '多次未联系上', apologised: '道歉', explained: '解释', withdrew: '客户取消诉求', insufficient: '信息不全', malicious: '恶意诉求', special: '特殊原因' },
  check: { valid: '有效投诉', serial: '单号无误', complainant_type: '投诉人类型', complaint_type: '投诉类型' },
  review: {
    title: '复核', dispatch: '派单', supplement: '追单', recall: '退单', second_dispatch: '二次派单', open: '待复核', approved: '通过', sent_back: '退回', invalid: '无效',
    force_end: '强制结束', extension: '延期', withdrawn: '撤回', change: '工单 {number}', warning: '书面警告 {number}', by: '{author} 提出', decided: '{reviewer} 复核',
  },
  history: { replies: '回复客户', surveys: '回访', final: '最终', onTheSpot: '现场', dissatisfied: '不满意', satisfied: '满意', unreachable: '未联系上' },
  work: { title: '部门待办', lead: '本单位的工单，按时限排列', none: '没有待办工单', mine: '只看我的', overdue: '只看超期', done: '已回单', live: '待办', order: '查看定单', from: '派送意见', chased: '催单' },
  receipt: { act: '签收{what}', done: '签收{what}', and: '、', chase: '催单', extension: '延期答复', recall: '退单', supplement: '追单' },
  hours: '{count} 小时', days: '{count} 天', addTask: '加一个单位', removeTask: '去掉', yes: '是', no: '否', todo: '待我处理', failed: '未完成：{why}', nav: '工单',
  beside: {
    leaders: '领导协调', adds: '客户补充', told: '方案告知', remedies: '补救', chases: '催单', notices: '短信与邮件', acknowledged: '{by} 签收 {at}', unread: '未签收', neverRead: '未签收即已结束', tracking: '跟踪', measures: '标准措施', level1: '领导', level2: '公司高层', lead: '牵头：{unit}', agreed: '客户认可', refused: '客户不认可',
    asked: '待审批', granted: '已同意', notGranted: '未同意', owner: '跟进部门回单', unit: '部门后续跟踪', until: '{at} 前', done: '已完成', noApology: '公司责任，未致歉', notes: '消息', field: '现场', of: '属 {number} 号', sent_on: '已改派', dropped: '不再派', proposed: '变更待复核',
    promised: '承诺 {at}', none: '本轮无', fits: '可用措施',
  },
  news: { sent: '新工单', followed: '工单随职责移交', urgent: '加急工单', chased: '催单', supplemented: '追单', recalled: '退单', yellow: '黄牌', red: '红牌', read: '知道了' },
  notice: { order_number: '告知单号', reply: '答复客户', missed_callback: '回电未接', new_work: '新工单', urgent: '加急', chased: '催单', second_dispatch: '二次派单', sms: '短信', email: '邮件', waiting: '待发送', sent: '已发送', refused: '网关拒收', dead: '未能发出', tried: '已试 {count} 次' },
  points: {
    title: '待跟进', lead: '任务、未回应的客户联系、没有有效承诺的投诉、未签收的催单', none: '没有待跟进的事项', done: '完成', note: '跟进情况', upward: '上报内容（可不填）', contact: '客户再次联系，尚未回应', commitment: '没有有效的承诺', chase: '催单未签收', owner: '部门已回单，请跟进', unit: '处理后跟踪', due: '截止 {at}', since: '自 {at}', save: '确认完成',
  },
}

export const stepsEn = {
  title: {
    answer: 'Answered at once', hand_to_senior: 'To the seniors', propose: 'Propose a dispatch', send_back: 'Send back', invalidate: 'Not valid', solve: 'Solved without dispatch', approve: 'Approve and dispatch',
    dispatch: 'Dispatch', reply: 'Reply to the customer', rate: 'Record the follow-up', redispatch: 'Second dispatch', file: 'Archive', accept: 'Accept', begin: 'Begin', finish: 'Answer',
    pause: 'Pause', resume: 'Resume', to_manager: 'To the manager', cancel: 'Cancel the order', force_end: 'End by force', to_archivist: 'To the archivist', report: 'Report', acknowledge: 'Acknowledge', to_head: 'To the head', take_back: 'Go on',
    return: 'Return', transfer: 'Transfer', supplement: 'Supplement', recall: 'Recall',
    to_leader: 'To a leader', raise: 'To the top', coordinate: 'Decide', ask_force_end: 'Ask to end by force', keep: 'Do not end by force', customer_adds: 'Customer adds', tell: 'Tell the plan', remedy: 'Remedy', chase: 'Chase', decide_remedy: 'Decide the remedy', propose_supplement: 'Propose a supplement', propose_recall: 'Propose a recall', approve_change: 'Approve the change', refuse_change: 'Refuse the change', assign_field: 'Send to the place', field_report: 'Report', note: 'Add a message', send_on: 'Send on', drop: 'Drop', ask_extension: 'Ask for a later limit', reassign: 'To somebody else', reassign_work: 'To somebody else', grant_extension: 'Give the later limit', refuse_extension: 'Keep the limit',
  },
  field: {
    opinion: 'Opinion', satisfaction: 'Customer satisfaction', fcr: 'Solved at first contact', reason: 'Reason', reason_code: 'Why you step in', tasks: 'Work orders', errors: 'Kinds of error', checks: 'Checks', warned_unit: 'Unit warned in writing',
    customer_told: 'How the customer was told', cause: 'Cause', result: 'Result', channel: 'Reply by', channel_reason: 'Why not as the customer asked', final: 'Final reply', outcome: 'Outcome', handled: 'What was done',
    grade: 'Grade', wanted: 'What the customer wants', content: 'Index of contents', customer_nature: 'Kind of customer', department: 'Unit complained about', originals: 'Where the originals are', service_number: 'Service number',
    handled_at: 'Handled at', overtime_reason: 'Reason of the delay', unit: 'Unit', task: 'Task', limit: 'Limit', evidence: 'Evidence', asked_by: 'Who is impatient', urgent: 'Urgent', thanks: 'Customer was thanked', digest: 'Number of the digest', addressees: 'Addressees (one a line, three)', decision: 'Decision',
    from_workplace: 'From workplace', to_workplace: 'To workplace', to_unit: 'To unit', limit_s: 'Limit', resume_expected_at: 'To be resumed', note: 'Note',
    trigger: 'Why to the manager', earlier_serial: 'Earlier order (not needed where this is its repeat)', question: 'What must be decided', level: 'Level', lead_unit: 'Leading department', text: 'Text', answer: 'Answer', work_order: 'Work order to change', promise_text: 'New promise', promise_due_at: 'Promised time', plan: 'Plan', told_due_at: 'Time told', time_reason: 'Why it takes so long', agreed: 'Customer agrees', remedy: 'Remedy', amount: 'Amount (yuan)', granted: 'Granted', person: 'Number of the person (of a hand-over: none = the queue)', liability: 'Whose fault', apology: 'Apologised', due_at: 'Later limit',
  },
  choice: { overdue_repeat: 'Overdue repeat', refuses_answer: 'Refuses a right answer', answered: 'Answered at once', supplement: 'Supplement', recall: 'Recall', company: 'Company', centre: 'The centre', customer: 'Customer', third_party: 'Third party', none: 'Nobody', 1: 'A leader', 2: 'Top of the company', satisfied: 'Satisfied', unreachable: 'Not reached', apologised: 'Apologised', explained: 'Explained', withdrew: 'Customer withdrew', insufficient: 'Too little information', malicious: 'Malicious', special: 'Special' },
  check: { valid: 'Valid complaint', serial: 'Order number', complainant_type: 'Complainant type', complaint_type: 'Complaint type' },
  review: {
    title: 'Review', dispatch: 'Dispatch', supplement: 'Supplement', recall: 'Recall', second_dispatch: 'Second dispatch', open: 'Waiting', approved: 'Approved', sent_back: 'Sent back', invalid: 'Not valid',
    force_end: 'End by force', extension: 'Later limit', withdrawn: 'Withdrawn', change: 'Work order {number}', warning: 'Written warning {number}', by: 'Proposed by {author}', decided: 'Reviewed by {reviewer}',
  },
  history: { replies: 'Replies', surveys: 'Follow-up', final: 'final', onTheSpot: 'at once', dissatisfied: 'Dissatisfied', satisfied: 'Satisfied', unreachable: 'Not reached' },
  work: { title: 'Department inbox', lead: 'Work orders of your unit, the nearest limit first', none: 'No work orders', mine: 'Mine only', overdue: 'Overdue only', done: 'Answered', live: 'Open', order: 'See the order', from: 'Dispatch opinion', chased: 'Chased' },
  receipt: { act: 'Acknowledge the {what}', done: 'Acknowledged the {what}', and: ' and the ', chase: 'chase', extension: 'answer about the limit', recall: 'recall', supplement: 'change' },
  hours: '{count} h', days: '{count} days', addTask: 'Add a unit', removeTask: 'Remove', yes: 'Yes', no: 'No', todo: 'For me', failed: 'Not done: {why}', nav: 'Work orders',
  beside: {
    leaders: 'Leaders', adds: 'Customer added', told: 'Told the customer', remedies: 'Remedies', chases: 'Chases', notices: 'Messages', acknowledged: 'read by {by} {at}', unread: 'not acknowledged', neverRead: 'ended without a receipt', tracking: 'Tracking', measures: 'Standard measures', level1: 'A leader', level2: 'Top of the company', lead: 'Leads: {unit}', agreed: 'Customer agrees', refused: 'Customer does not agree',
    asked: 'Waits for a leader', granted: 'Granted', notGranted: 'Refused', owner: 'Follow the answer up', unit: 'Watched by the department', until: 'by {at}', done: 'Done', noApology: 'Company at fault, no apology', notes: 'Messages', field: 'Field', of: 'of no. {number}', sent_on: 'Sent on', dropped: 'Dropped', proposed: 'Change waits',
    promised: 'Promised {at}', none: 'None', fits: 'Measures that fit',
  },
  news: { sent: 'New work order', followed: 'Went with the duty', urgent: 'Urgent work order', chased: 'Chased', supplemented: 'Changed', recalled: 'Recalled', yellow: 'Yellow card', red: 'Red card', read: 'Noted' },
  notice: { order_number: 'Order number', reply: 'Reply', missed_callback: 'Missed callback', new_work: 'New work order', urgent: 'Urgent', chased: 'Chased', second_dispatch: 'Second dispatch', sms: 'Text message', email: 'E-mail', waiting: 'waiting', sent: 'sent', refused: 'refused', dead: 'given up', tried: 'tried {count}×' },
  points: {
    title: 'To follow through', lead: 'Tasks, contacts nobody answered, complaints without a commitment, chases nobody acknowledged', none: 'Nothing to follow through', done: 'Done', note: 'What was found', upward: 'Told upward (optional)', contact: 'The customer was in touch again; nobody has answered', commitment: 'No commitment that holds', chase: 'Chased, not acknowledged', owner: 'The department answered; follow it up', unit: 'Watch whether it holds', due: 'Due {at}', since: 'Since {at}', save: 'Confirm',
  },
}
