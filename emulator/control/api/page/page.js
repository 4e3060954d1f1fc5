const recorded = JSON.parse(document.getElementById("recorded")?.textContent ?? "null");
const state = recorded ? recorded.answers.state : await (await fetch("state")).json();
document.getElementById("page").textContent = JSON.stringify(state, null, 1);
