// The check digit of order numbers (Damm), so that a wrong key is seen before anything is sent (PX-03). Pure.

const TABLE = [
  '0317598642',
  '7092154863',
  '4206871359',
  '1750983426',
  '6123045978',
  '3674209581',
  '5869720134',
  '8945362017',
  '9438617205',
  '2581436790',
]

/** True for nine digits whose check digit fits; says nothing about whether such an order exists. */
export function validSerial(serial: string): boolean {
  if (!/^[0-9]{9}$/.test(serial)) return false
  let interim = 0
  for (const digit of serial) interim = Number(TABLE[interim]?.[Number(digit)])
  return interim === 0
}
