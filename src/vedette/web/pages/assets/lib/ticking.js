// What changes by itself as time goes on, in elements of its own: nothing else is drawn again for it.
import { brief, duration } from "./format.js";
import { ticking } from "./node.js";

// <vd-for :since="camera.since"/>: 12 min 3 s; `short`: 12 min.
export const For = {
  props: { since: Number, short: Boolean },
  template: `<template v-if="since">{{ text }}</template>`,
  computed: {
    text() { return (this.short ? brief : duration)(ticking() - this.since); },
  },
};

// <vd-age :at="picture.captured_at"/>: how old a picture is, to the tenth while it is young.
export const Age = {
  props: { at: Number },
  template: `<template v-if="at">{{ text }}</template>`,
  computed: {
    text() {
      const age = Math.max(0, ticking() - this.at);
      return age < 9.95 ? `${age.toFixed(1)} s` : duration(age);
    },
  },
};
