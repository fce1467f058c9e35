// Logs in, and goes on to where one came from.

const SESSION = "/api/v1/session";
const form = document.getElementById("login");
const said = document.getElementById("said");
const button = form.querySelector("button");

function goOn() {
  const url = new URL(form.dataset.next || "/", location.origin);
  location.replace(url.origin === location.origin ? url.href : "/");
}

// Who followed a link from another site is logged in, but the browser did not say so on the way here.
async function alreadyIn() {
  try {
    const answer = await fetch(SESSION, { credentials: "same-origin" });
    if (answer.ok) goOn();
  } catch {
    // it is said when somebody logs in
  }
}

function wait(seconds) {
  button.disabled = true;
  const until = Date.now() + seconds * 1000;
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    button.disabled = left > 0;
    said.textContent = left > 0 ? `Too many tries. Try again in ${left} s.` : "";
    if (left > 0) setTimeout(tick, 500);
  };
  tick();
}

async function logIn() {
  button.disabled = true;
  said.textContent = "";
  let answer;
  try {
    answer = await fetch(SESSION, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ name: form.elements.name.value, password: form.elements.password.value }),
    });
  } catch {
    button.disabled = false;
    said.textContent = "Vedette does not answer.";
    return;
  }
  button.disabled = false;
  if (answer.ok) {
    goOn();
  } else if (answer.status === 429) {
    wait(Number(answer.headers.get("Retry-After")) || 5);
  } else if (answer.status === 401) {
    said.textContent = "The name or the password is wrong.";
    form.elements.password.select();
  } else {
    const problem = await answer.json().catch(() => null);
    said.textContent = problem?.detail ?? `Unexpected answer (${answer.status}).`;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  logIn();
});
alreadyIn();
