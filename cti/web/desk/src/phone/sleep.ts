// Whether the computer's clock was set, or the page slept: what was promised by time may be past then. Pure.

/** Milliseconds between two looks. */
export const EVERY = 1_000
/** A step of the wall clock against the steady one that no correction by small bits makes. */
const STEP = 5_000
/** Nobody looked for so long: timers stood still. */
const SLEPT = 90_000

export class Sleep {
  private wall: number
  private steady: number

  /** Both in milliseconds: the wall clock's time, and one that is never set. */
  constructor(wall: number, steady: number) {
    this.wall = wall
    this.steady = steady
  }

  /** True when the clock was set or the page slept since the last look. */
  look(wall: number, steady: number): boolean {
    const [gone, passed] = [wall - this.wall, steady - this.steady]
    this.wall = wall
    this.steady = steady
    return Math.abs(gone - passed) >= STEP || passed >= SLEPT
  }
}
