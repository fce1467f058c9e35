// How long a look takes: only while somebody can see it.

export const timing = {
  startClock() { this.since = document.hidden ? null : performance.now(); },
  stopClock() {
    if (this.since && this.look) this.look.seconds += (performance.now() - this.since) / 1000;
    this.since = null;
  },
  clock() {
    if (document.hidden) this.stopClock();
    else if (this.look && !this.finished) this.startClock();
  },
};
