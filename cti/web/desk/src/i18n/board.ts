// Words of the board over orders and departments, of attachments and of work orders on paper, in both languages.

export const boardZh = {
  title: '督办',
  lead: '各单位的工单与需要班长决定的事项',
  files: { title: '附件', add: '添附件' },
  take: { all: '全选待接（{count}）', accept: '批量接单（{count}）', done: '已接 {count} 张工单' },
  extensions: { title: '延期申请', none: '没有待审批的延期申请', by: '{by} 于 {at} 申请', waits: '延期待批' },
  flow: { title: '在办定单', total: '共 {count} 单', red: '红牌 {count}', yellow: '黄牌 {count}', paused: '暂停 {count}', none: '没有在办的定单' },
  units: { title: '各单位工单', orders: '涉及定单', overdue: '超期工单', none: '各单位没有工单' },
  threads: { title: '单位往来', unread: '{count} 条未读', older: '更早的', none: '还没有往来消息', text: '写给该单位或受理中心', about: '定单号或工单号（可不填）', send: '发送', choose: '选择左侧的单位', foreign: '没有这个定单号或工单号，或与该单位无关：请核对，或留空' },
  limits: { title: '偏离规定的时限', work: '工单', kind: '情形', policy: '规定 / 原时限', given: '现时限', by: '操作', none: '没有偏离规定的时限', kinds: { dispatch: '派单另定', changed: '追单改期', extension: '延期' } },
  queue: { senior: '高级队列', manager: '经理热线', survey: '回访队列', leader: '领导', archivist: '资料管理', complaint: '受理队列', none: '–' },
  handover: {
    title: '签出前交接', text: '下列事项只有您在办理，交接后才能签出。', who: '接手同事工号', queue: '全部放回队列', person: '全部交给该同事', due: '{at} 到期',
    kind: { draft: '草稿', order: '定单', callback: '承诺回拨', item: '录音留言', paper: '来件', follow_up: '回访跟进' },
  },
  print: {
    open: '打印', now: '打印', title: '客户投诉处理工单', gone: '没有这张工单。', sent: '派发时间', customer: '客户', number: '联系电话', address: '联系地址', business: '业务 · 性质', description: '事件描述', verbatim: '客户原话',
    handler: '处理人', signature: '客户签字', by: '{who} 打印于 {at}',
  },
}

export const boardEn: typeof boardZh = {
  title: 'Oversight',
  lead: 'Work orders of the departments and what a supervisor decides',
  files: { title: 'Attachments', add: 'Attach' },
  take: { all: 'All that wait ({count})', accept: 'Accept ({count})', done: '{count} accepted' },
  extensions: { title: 'Later limits asked for', none: 'Nobody asks for a later limit', by: 'Asked by {by} {at}', waits: 'Later limit asked' },
  flow: { title: 'Live orders', total: '{count} orders', red: '{count} red', yellow: '{count} yellow', paused: '{count} paused', none: 'No live orders' },
  units: { title: 'Departments', orders: 'Open orders', overdue: 'Overdue', none: 'No department has a work order' },
  threads: { title: 'Messages with departments', unread: '{count} unread', older: 'Earlier', none: 'Nothing was said yet', text: 'To the department, or to the centre', about: 'Order or work order no. (may be empty)', send: 'Send', choose: 'Choose a department on the left', foreign: 'No such order or work order, or none of this department: correct the number, or leave it empty' },
  limits: { title: 'Limits that differ from policy', work: 'Work order', kind: 'How', policy: 'Policy / before', given: 'Limit now', by: 'By', none: 'No limit differs from policy', kinds: { dispatch: 'At dispatch', changed: 'Supplement', extension: 'Extension' } },
  queue: { senior: 'seniors', manager: 'manager', survey: 'follow-up', leader: 'leaders', archivist: 'archive', complaint: 'intake', none: '–' },
  handover: {
    title: 'Hand over before you leave', text: 'Only you have these. Hand them over, then you can sign off.', who: 'Number of the colleague', queue: 'All to the queues', person: 'All to this colleague', due: 'due {at}',
    kind: { draft: 'Draft', order: 'Order', callback: 'Promised call', item: 'Message', paper: 'Paper', follow_up: 'Follow-up' },
  },
  print: {
    open: 'Print', now: 'Print', title: 'Work order', gone: 'There is no such work order.', sent: 'Sent', customer: 'Customer', number: 'Telephone', address: 'Address', business: 'Business · nature', description: 'What happened', verbatim: "Customer's words",
    handler: 'Handled by', signature: "Customer's signature", by: 'Printed by {who}, {at}',
  },
}
