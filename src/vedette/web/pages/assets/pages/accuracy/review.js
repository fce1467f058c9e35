// What waits to be looked at by people, by camera and reason.
import { bytes, count, href, may, plain, plural } from "vedette-pages";

const FEW = 8;

export const Review = {
  props: { told: Object, why: String },
  template: `
<section class="vd-panel" aria-labelledby="acc-review"><header><h2 id="acc-review">Waiting for review</h2><a v-if="told?.states.waiting" class="vd-button acc-toreview" :class="{ 'vd-main': may('reviewer') }" :href="to({})">{{ may("reviewer") ? "Review" : "Look" }}</a></header>
  <template v-if="told">
    <p class="acc-counts"><b>{{ count(told.states.waiting ?? 0) }}</b> waiting, {{ count(told.states.reviewed ?? 0) }} reviewed<template v-if="told.states.skipped">, {{ count(told.states.skipped) }} skipped</template>; <span class="vd-dim">{{ bytes(told.bytes) }} of pictures</span></p>
    <table v-if="told.waiting.length" class="vd-plain"><thead><tr><th scope="col">Camera</th><th scope="col">Kept because</th><th scope="col" class="vd-num">Frames</th></tr></thead>
      <tbody><tr v-for="each in shown" :key="each.camera + each.reason"><th scope="row"><a :href="to({ camera: each.camera, reason: each.reason })">{{ each.camera }}</a></th><td>{{ each.reason === "uniform" ? "drawn by chance" : plain(each.reason) }}</td><td class="vd-num">{{ count(each.count) }}</td></tr></tbody></table>
    <p v-else class="vd-dim">Nothing waits.</p>
    <button v-if="told.waiting.length > few" type="button" class="vd-quiet" :aria-expanded="all" @click="all = !all">{{ all ? "Fewer" : "All " + told.waiting.length }}</button>
  </template>
  <p v-else class="vd-dim">{{ why ? why[0].toUpperCase() + why.slice(1) + "." : "Asking…" }}</p>
</section>`,
  data: () => ({ all: false, few: FEW }),
  computed: { shown() { return this.told.waiting.slice(0, this.all ? undefined : FEW); } },
  methods: { bytes, count, may, plain, plural, to: (query) => href("/review", query) },
};
