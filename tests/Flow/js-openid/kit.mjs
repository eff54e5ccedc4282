// What both scripts are written in: a browser that is fetch and a jar of cookies by host and path, and cases.
export class Browser {
  cookies = new Map();
  constructor(home) {
    this.home = home;
  }
  async go(url, fields, more = {}) {
    const to = new URL(url, this.home);
    const sent = [...this.cookies.values()].filter((cookie) => cookie.host === to.host && to.pathname.startsWith(cookie.path));
    const response = await fetch(to, {
      method: fields ? 'POST' : 'GET', body: fields && new URLSearchParams(fields), redirect: 'manual',
      headers: { cookie: sent.map(({ name, value }) => `${name}=${value}`).join('; '), ...more },
    });
    this.set = response.headers.getSetCookie();
    for (const text of this.set) {
      const [, name, value] = text.match(/^([^=]+)=([^;]*)/);
      const path = text.match(/;\s*path=([^;]*)/i)?.[1] ?? '/';
      if (value) this.cookies.set(name, { name, value, path, host: to.host });
      else this.cookies.delete(name);
    }
    return { url: to, status: response.status, headers: response.headers, location: response.headers.get('location'), text: await response.text() };
  }
  /** Follows redirects within these hosts; gives the page, or the redirect that leads away from them. */
  async follow(answer, hosts) {
    while (answer.location && hosts.includes(new URL(answer.location, answer.url).host)) answer = await this.go(new URL(answer.location, answer.url));
    return answer;
  }
}

export const expect = (what, actual, wanted) => {
  if (JSON.stringify(actual) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
};
export const has = (what, text, part) => {
  if (!text.includes(part)) throw new Error(`${what}: no "${part}" in ${text}`);
};
/** Plays cases and writes one JSON line for each. */
export const play = async (cases) => {
  for (const [name, one] of Object.entries(cases)) {
    let error = null;
    try {
      await one();
    } catch (e) {
      error = `${e.stack ?? e}`;
    }
    console.log(JSON.stringify({ name, error }));
  }
};
