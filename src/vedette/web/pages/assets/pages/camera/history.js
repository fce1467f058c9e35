// The last minutes of a camera, kept in the page: how old its results were, and how many came.

const KEEPS_S = 600, STEP_S = 2;

// Of all results of two seconds together: the middle one and the worst. Pure but for what it keeps.
export class History {
  constructor() {
    this.points = []; // { at, ages, p50, worst, results }
    this.now = null;
    this.first = true; // the step in which the page was opened is not a whole one
  }

  // at: Unix seconds; age: ms.
  result(at, age) {
    const step = Math.floor(at / STEP_S) * STEP_S;
    if (this.now?.at !== step) this.close(step);
    this.now.ages.push(age);
  }

  // Also without results time goes on: there is a hole then, and no line across it.
  close(step) {
    const done = this.first ? null : this.now;
    if (this.now) this.first = false;
    if (done) {
      const ages = done.ages.sort((one, other) => one - other);
      this.points.push({ at: done.at, p50: ages[ages.length >> 1], worst: ages.at(-1), results: ages.length / STEP_S });
      if (step - done.at > 3 * STEP_S) this.points.push({ at: done.at + STEP_S, p50: null, worst: null, results: 0 });
    }
    while (this.points[0]?.at < step - KEEPS_S) this.points.shift();
    this.now = { at: step, ages: [] };
  }

  line(key) { return this.points.map((point) => [point.at, point[key]]); }
}
