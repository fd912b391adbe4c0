// Words of the board over orders and departments, of attachments and of work orders on paper, in both languages.

export const boardZh = {
  title: '督办',
  lead: '各单位的工单与需要班长决定的事项',
  files: { title: '附件', add: '添附件' },
  take: { all: '全选待接（{count}）', accept: '批量接单（{count}）', done: '已接 {count} 张工单' },
  extensions: { title: '延期申请', none: '没有待审批的延期申请', by: '{by} 于 {at} 申请', waits: '延期待批' },
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
  print: {
    open: 'Print', now: 'Print', title: 'Work order', gone: 'There is no such work order.', sent: 'Sent', customer: 'Customer', number: 'Telephone', address: 'Address', business: 'Business · nature', description: 'What happened', verbatim: "Customer's words",
    handler: 'Handled by', signature: "Customer's signature", by: 'Printed by {who}, {at}',
  },
}
