// Columns of the table of cameras. `value`: what it is sorted by; the worst first where that means something.
import { DASH, healthOf, milliseconds, plain, rate, shareOf, whyOf } from "vedette-pages";

export const COLUMNS = [
  { key: "name", title: "Camera", min: 130, width: "minmax(130px, 1.1fr)", rank: 0, value: (row) => row.name, text: (row) => row.name },
  { key: "site", title: "Site", min: 90, width: "minmax(90px, .7fr)", rank: 9, value: (row) => row.site || null, text: (row) => row.site },
  { key: "health", title: "Health", min: 120, width: "120px", rank: 1, value: (row) => healthOf(row.health).rank, text: (row) => healthOf(row.health).word },
  { key: "since", title: "Since", min: 70, width: "70px", rank: 3, num: true, value: (row) => row.since, text: () => "" },
  { key: "why", title: "Why", min: 150, width: "minmax(150px, 2fr)", rank: 4, value: (row) => whyOf(row) || null, text: whyOf },
  { key: "fps", title: "fps", min: 62, width: "62px", rank: 6, num: true, value: (row) => row.fps_analysed, text: (row) => rate(row.fps_analysed) },
  { key: "p50", title: "Age p50", min: 84, width: "84px", rank: 10, num: true, value: (row) => row.age_ms.p50, text: (row) => milliseconds(row.age_ms.p50 || null) },
  { key: "age", title: "p99", min: 76, width: "76px", rank: 7, num: true, value: (row) => row.age_ms.p99, text: (row) => milliseconds(row.age_ms.p99 || null) },
  { key: "step", title: "Step", min: 84, width: "84px", rank: 11, value: (row) => row.step, text: (row) => plain(row.step) },
  { key: "objects", title: "Objects", min: 110, width: "minmax(110px, .8fr)", rank: 8, value: (row) => row.objects && Object.values(row.objects).reduce((sum, many) => sum + many, 0), text: (row) => (row.objects ? objectsOf(row) : DASH) },
  { key: "gaps", title: "Gaps", min: 58, width: "58px", rank: 12, num: true, value: (row) => row.gaps, text: (row) => row.gaps },
  { key: "day", title: "Last 24 h", min: 120, width: "minmax(120px, 1fr)", rank: 5, value: (row) => shareOf(row.name), text: () => "" },
];

export const MENU = { key: "menu", title: "Actions", unseen: true, min: 48, width: "48px", rank: 2, sorts: false, text: () => "" };

// Of one that is not seen nobody knows them.
export const objectsOf = (row) => Object.entries(row.objects ?? {}).filter(([, many]) => many).map(([name, many]) => `${many} ${name}`).join(", ");

// Of these more is worse, so the first click shows the most.
export const MOST_FIRST = new Set(["fps", "p50", "age", "objects", "gaps"]);
