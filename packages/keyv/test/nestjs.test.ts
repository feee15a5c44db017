// oxlint-disable-next-line import/no-unassigned-import -- Nest reads decorators through what this adds.
import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { CACHE_MANAGER, CacheInterceptor, CacheModule } from '@nestjs/cache-manager'
import { Controller, Get, Module, Param, UseInterceptors } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { createCache } from '@flow-cache/core'
import { flowKeyv } from '@flow-cache/keyv'
import { memoryStore } from '@flow-cache/memory'
import type { Cache as Manager } from 'cache-manager'
import { Keyv } from 'keyv'
import { expect, it } from 'vitest'

it('@nestjs/cache-manager answers requests from a cache, until it is cleared; closing the application closes it', async () => {
  const cache = createCache({ store: memoryStore() })
  let calls = 0
  class Users {
    find(id: string) {
      return { id, calls: ++calls }
    }
  }
  class App {
    readonly name = 'users'
  }
  // Decorators as functions: what runs the tests knows no decorators.
  const find = Object.getOwnPropertyDescriptor(Users.prototype, 'find')!
  Get('users/:id')(Users.prototype, 'find', find)
  Param('id')(Users.prototype, 'find', 0)
  UseInterceptors(CacheInterceptor)(Users)
  Controller()(Users)
  Module({
    imports: [
      CacheModule.registerAsync({
        useFactory: () => ({ stores: [new Keyv({ store: flowKeyv(cache, { closes: true }) })], ttl: 60_000 }),
      }),
    ],
    controllers: [Users],
  })(App)

  const app = await NestFactory.create(App, { logger: false })
  await app.listen(0, '127.0.0.1')
  const { port } = app.getHttpServer().address() as AddressInfo
  const read = async (id: number): Promise<unknown> =>
    (await fetch(`http://127.0.0.1:${port}/users/${id}`)).json()

  expect(await read(1)).toEqual({ id: '1', calls: 1 })
  expect(await read(1)).toEqual({ id: '1', calls: 1 })
  expect(await read(2)).toEqual({ id: '2', calls: 2 })
  await app.get<Manager>(CACHE_MANAGER).clear()
  expect(await read(1)).toEqual({ id: '1', calls: 3 })
  await app.close()
  expect(cache.closed).toBe(true)
})
