// Words of searching, exporting, the track, uncovering, the logs and the people; both languages side by side.

export const queryZh = {
  search: {
    more: '更多条件', fewer: '收起条件', xlsx: '导出 Excel', csv: '导出 CSV', exporting: '正在导出…', sort: '排序',
    sorts: { newest: '最新在前', oldest: '最早在前', due: '时限最近在前', urgent: '加急在前' },
    any: '不限', yes: '是', no: '否', from: '从', to: '到', time: '按时间',
    times: { created: '创建', received: '受理', registered: '登记', ended: '结束', due: '时限', event: '事件发生', promised: '承诺', sent: '派单', handled: '回单' },
    field: {
      business: '业务', nature: '性质', complaint_type: '投诉类型', complainant_type: '投诉人类型', unit: '被投诉单位', work_unit: '处理部门', vip_class: '客户级别', cause: '原因',
      satisfaction: '满意度', channel: '受理方式', card: '黄红牌', urgent: '加急', repeat: '重复', paused: '暂停', vip: 'VIP', live: '未结束', fcr: '首次解决', name: '客户姓名',
      operation_serial: '操作流水', work_serial: '工单号', dnis: '被叫号码', owner: '处理人或队列', received_by: '受理人', reviewed_by: '复核人', dispatched_by: '派单人', handled_by: '处理人员',
      replied_by: '反馈人', surveyed_by: '回访人', acted_by: '任一步骤经手人',
    },
  },
  track: {
    title: '办理轨迹', work: '工单', customer: '受理客户', received_at: '受理时间', wanted_end_at: '要求结束时间', actual_end_at: '实际结束时间', node: '处理节点', handler: '处理用户', state: '处理状态',
    started_at: '开始处理', ended_at: '结束处理',
  },
  uncover: { covered: '客户信息已按岗位遮盖', open: '显示完整信息', title: '显示完整的客户信息', text: '本次查看会连同理由记入日志；下次打开仍会遮盖。', reason: '理由', until: '已显示完整信息，本次有效' },
  audit: {
    title: '日志', lead: '谁改了什么、谁查了什么；只能查看，不能更改。', changes: '操作日志', queries: '查询日志', log: '日志', actor: '工号', verb: '动作', kind: '对象', id: '对象编号', since: '从', until: '到',
    search: '查询', more: '更多', none: '没有符合条件的记录', at: '时间', who: '谁', what: '动作', subject: '对象', said: '内容', seal: '链号', unsealed: '待封', erased: '内容已按规定清除',
    sealed: '{log}：已封 {sealed} 条，待封 {waiting} 条，留存日锚 {anchors} 个',
  },
  people: {
    title: '人员', lead: '工号、岗位、资格、技能与登录。', add: '新增人员', number: '工号', name: '姓名', posts: '岗位', team: '班组', unit: '部门', phone: '话机', browser: '浏览器', desk: '话机',
    state: '状态', active: '在用', locked: '已停用', noPassword: '未设密码', unqualified: '资格待补：{posts}', none: '无', save: '保存', cancel: '取消', lock: '停用', unlock: '恢复', reset: '重置密码',
    vip: '可接 VIP 溢出来电', override: '破例授予岗位的理由', overrideHint: '没有登记资格时必须填写，会记入日志', demands: '要求：{words}', qualifications: '资格登记', what: '资格或证书', obtained: '取得日期', validTo: '有效期至',
    qualify: '登记资格', skills: '专业技能', skill: '业务', level: '级别', addSkill: '加入', facts: '基本资料', token: '一次性口令（24 小时内有效，只显示这一次）：', tokenHint: '请当面交给本人，在“首次设置”页设置新密码。', edit: '编辑',
  },
}

export const queryEn: typeof queryZh = {
  search: {
    more: 'More conditions', fewer: 'Fewer conditions', xlsx: 'Export to Excel', csv: 'Export to CSV', exporting: 'Exporting…', sort: 'Order',
    sorts: { newest: 'newest first', oldest: 'oldest first', due: 'nearest limit first', urgent: 'urgent first' },
    any: 'any', yes: 'yes', no: 'no', from: 'from', to: 'to', time: 'By time',
    times: { created: 'created', received: 'received', registered: 'registered', ended: 'ended', due: 'limit', event: 'event', promised: 'promise', sent: 'dispatched', handled: 'unit answered' },
    field: {
      business: 'Business', nature: 'Nature', complaint_type: 'Complaint type', complainant_type: 'Complainant type', unit: 'Unit complained about', work_unit: 'Department', vip_class: 'Class', cause: 'Cause',
      satisfaction: 'Satisfaction', channel: 'Channel', card: 'Card', urgent: 'Urgent', repeat: 'Repeat', paused: 'Paused', vip: 'VIP', live: 'Not ended', fcr: 'First contact', name: "Customer's name",
      operation_serial: 'Operation', work_serial: 'Work order', dnis: 'Number dialled', owner: 'Owner or queue', received_by: 'Received by', reviewed_by: 'Reviewed by', dispatched_by: 'Dispatched by', handled_by: 'Handled by',
      replied_by: 'Replied by', surveyed_by: 'Surveyed by', acted_by: 'Any step by',
    },
  },
  track: {
    title: 'Track', work: 'Work order', customer: 'Customer', received_at: 'Received', wanted_end_at: 'Wanted end', actual_end_at: 'Actual end', node: 'Node', handler: 'Handler', state: 'State',
    started_at: 'Handling began', ended_at: 'Handling ended',
  },
  uncover: { covered: "The customer's data are covered for your post", open: 'Show in full', title: "Show the customer's data in full", text: 'This reading is logged with its reason; the next one covers it again.', reason: 'Reason', until: 'Shown in full, this time' },
  audit: {
    title: 'Logs', lead: 'Who changed what, and who looked at what; to be read, never changed.', changes: 'Changes', queries: 'Look-ups', log: 'Log', actor: 'Staff number', verb: 'Act', kind: 'Subject', id: 'Id of the subject', since: 'From', until: 'To',
    search: 'Search', more: 'More', none: 'No row fits', at: 'Time', who: 'Who', what: 'Act', subject: 'Subject', said: 'Contents', seal: 'Link', unsealed: 'not sealed yet', erased: 'erased by rule',
    sealed: '{log}: {sealed} sealed, {waiting} waiting, {anchors} daily anchors kept',
  },
  people: {
    title: 'Staff', lead: 'Numbers, posts, qualifications, skills and sign-in.', add: 'New person', number: 'Number', name: 'Name', posts: 'Posts', team: 'Team', unit: 'Department', phone: 'Phone', browser: 'browser', desk: 'desk phone',
    state: 'State', active: 'active', locked: 'locked', noPassword: 'no password', unqualified: 'not qualified: {posts}', none: 'none', save: 'Save', cancel: 'Cancel', lock: 'Lock', unlock: 'Let in again', reset: 'Reset password',
    vip: 'takes overflowing VIP calls', override: 'Why the post is granted all the same', overrideHint: 'needed where no qualification is on record; it is logged', demands: 'asks for: {words}', qualifications: 'Qualifications on record', what: 'Qualification', obtained: 'Obtained on', validTo: 'Valid to',
    qualify: 'Put on record', skills: 'Specialties', skill: 'Business', level: 'Level', addSkill: 'Add', facts: 'Facts', token: 'One-time token (24 hours, shown only now):', tokenHint: 'Hand it over in person; it sets a new password on the set-up page.', edit: 'Edit',
  },
}
